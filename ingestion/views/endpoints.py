"""Ingest endpoints: the key first, then the body, then one transaction, then the answer."""

import logging
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ingestion import services
from ingestion.formats import LITELLM, NATIVE, Format, MalformedError, UnsupportedError
from ingestion.pipeline import Item
from ingestion.views.bodies import ENCODINGS, BodyError, read_body
from metricsportal.lib import problems
from teams.access import scope_of_key
from teams.authentication import CHALLENGE, identify_key
from teams.roles import KeyScope

if TYPE_CHECKING:
    from teams.models import Organization

_log = logging.getLogger(__name__)
_Endpoint = Callable[[HttpRequest], HttpResponse]


class _Refusal(Exception):  # noqa: N818 - an answer, not an error
    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.headers, self.members = status, headers or {}, members


def _endpoint(format_: Format) -> _Endpoint:
    """A view that stores bodies of one format."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return _ingest(request, format_)
        except _Refusal as refusal:
            return _problem(request, refusal)
        except Exception:
            _log.exception("ingest of %s failed", format_.name)
            return _problem(request, _Refusal(500, "This is an error of the portal; it was logged."))

    return view


def _ingest(request: HttpRequest, format_: Format) -> HttpResponse:
    if request.method != "POST":
        raise _Refusal(405, "Send records with POST.", headers={"Allow": "POST"})
    now = timezone.now()
    try:
        organization = _organization(request, now)
        items = _items(request, format_)
        outcome = services.ingest(
            organization=organization,
            items=items,
            source=format_.name,
            now=now,
            past_days=settings.INGEST_PAST_DAYS,
        )
    except (services.UnavailableError, OperationalError, InterfaceError) as error:
        _log.warning("ingest is not available: %s", error)
        retry = {"Retry-After": str(services.UnavailableError.retry_after)}
        raise _Refusal(503, "Nothing was stored. Send the same records again.", headers=retry) from error
    return JsonResponse(_reply(outcome))


def _organization(request: HttpRequest, now: datetime) -> "Organization":
    """The organization of the key. Without a valid key nothing is read and nothing is created."""
    key = identify_key(request.headers.get("Authorization"), now)
    if key is None:
        raise _Refusal(401, "Send a valid key: Authorization: Bearer KEY.", headers={"WWW-Authenticate": CHALLENGE})
    if scope_of_key(key, KeyScope.INGEST, now) is None:
        raise _Refusal(403, "This key may not send records; it needs the scope ingest.")
    return key.organization


def _items(request: HttpRequest, format_: Format) -> list[Item]:
    most = settings.INGEST_MAX_RECORDS
    try:
        items = list(islice(format_.read(read_body(request)), most + 1))
    except BodyError as error:
        headers = {"Accept-Encoding": ENCODINGS} if error.status == 415 else {}
        raise _Refusal(error.status, str(error), headers=headers) from error
    except MalformedError as error:
        place = {"byte": error.byte, "line": error.line, "column": error.column}
        known: dict[str, Any] = {name: value for name, value in place.items() if value is not None}
        raise _Refusal(400, str(error), kind="malformed-body", title="The body cannot be read", **known) from error
    except UnsupportedError as error:
        raise _Refusal(422, str(error), kind="unsupported-body", title="The body holds no usable records") from error
    if len(items) > most:
        raise _Refusal(413, f"A batch holds at most {most:,} records.")
    return items


def _reply(outcome: services.Outcome) -> dict[str, Any]:
    """Counts and rejections: accepted + duplicate + conflict + rejected = received."""
    reply: dict[str, Any] = {
        "accepted": outcome.accepted,
        "duplicate": outcome.duplicate,
        "conflict": outcome.conflict,
        "rejected": [
            {"index": one.index, "code": one.code.value, "field": one.field, "message": one.message}
            for one in outcome.rejected
        ],
    }
    return reply | ({"capped": outcome.capped} if outcome.capped else {})


def _problem(request: HttpRequest, refusal: _Refusal) -> HttpResponse:
    request_id = problems.request_id_of(request.headers.get("X-Request-ID"))
    document = problems.problem(
        refusal.status, str(refusal), instance=request.path, request_id=request_id, **refusal.members
    )
    return JsonResponse(document, status=refusal.status, headers=refusal.headers, content_type=problems.CONTENT_TYPE)


ingest_native: Final = _endpoint(NATIVE)
ingest_litellm: Final = _endpoint(LITELLM)
