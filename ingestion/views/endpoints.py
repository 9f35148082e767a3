"""Ingest endpoints: the key first, then the body, then one transaction, then the answer."""

import logging
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ingestion import services
from ingestion.formats import ENVOY, LITELLM, NATIVE, Format, MalformedError, UnsupportedError
from ingestion.formats.base import TooManyError
from ingestion.formats.mapping import Reading
from ingestion.pipeline import Item
from ingestion.readings import reading_of
from ingestion.views.answers import Refusal, counts, problem
from ingestion.views.bodies import ENCODINGS, BodyError, read_body, share
from metricsportal.lib.budget import ExhaustedError, Share
from teams.access import scope_of_key
from teams.authentication import CHALLENGE, identify_key
from teams.roles import KeyScope

if TYPE_CHECKING:
    from teams.models import ApiKey

_log = logging.getLogger(__name__)
_RETRY: Final = {"Retry-After": str(services.UnavailableError.retry_after)}
Endpoint = Callable[[HttpRequest], HttpResponse]
Refuse = Callable[[HttpRequest, Refusal], HttpResponse]


def guarded(view: Endpoint, refuse: Refuse) -> Endpoint:
    """The view for senders: POST only, no CSRF, every failure answered in the words of the format."""

    @csrf_exempt
    def endpoint(request: HttpRequest) -> HttpResponse:
        try:
            if request.method != "POST":
                raise Refusal(405, "Send records with POST.", headers={"Allow": "POST"})
            return view(request)
        except Refusal as refusal:
            return refuse(request, refusal)
        except (services.UnavailableError, OperationalError, InterfaceError, InternalError) as error:
            _log.warning("ingest is not available: %s", error)
            return refuse(request, Refusal(503, "Nothing was stored. Send the same records again.", headers=_RETRY))
        except ExhaustedError:
            return refuse(request, Refusal(503, "Too much arrives at once. Send the same again.", headers=_RETRY))
        except Exception:
            _log.exception("ingest at %s failed", request.path)
            return refuse(request, Refusal(500, "This is an error of the portal; it was logged."))

    return endpoint


def take(request: HttpRequest, format_: Format) -> services.Outcome:
    """Store the body of a request. Raises Refusal, ExhaustedError."""
    now = timezone.now()
    key = key_of(request, now)
    reading = reading_of(key.organization_id)
    with share() as held:
        return services.ingest(
            organization=key.organization,
            items=_items(request, format_, reading, held),
            source=format_.name,
            now=now,
            past_days=settings.INGEST_PAST_DAYS,
            key_id=key.pk,
        )


def key_of(request: HttpRequest, now: datetime) -> "ApiKey":
    """The key of the sender. Without a valid key nothing is read and nothing is created. Raises Refusal."""
    key = identify_key(request.headers.get("Authorization"), now)
    if key is None:
        raise Refusal(401, "Send a valid key: Authorization: Bearer KEY.", headers={"WWW-Authenticate": CHALLENGE})
    if scope_of_key(key, KeyScope.INGEST, now) is None:
        raise Refusal(403, "This key may not send records; it needs the scope ingest.")
    return key


def body_of(request: HttpRequest, held: Share) -> bytes:
    """The decoded body. Raises Refusal, ExhaustedError."""
    try:
        return read_body(request, held)
    except BodyError as error:
        headers = {"Accept-Encoding": ENCODINGS} if error.status == 415 else {}
        raise Refusal(error.status, str(error), headers=headers) from error


def malformed(error: MalformedError) -> Refusal:
    """The refusal of a body that cannot be decoded."""
    place = {"byte": error.byte, "line": error.line, "column": error.column}
    known: dict[str, Any] = {name: value for name, value in place.items() if value is not None}
    return Refusal(400, str(error), kind="malformed-body", title="The body cannot be read", **known)


def _items(request: HttpRequest, format_: Format, reading: Reading, held: Share) -> list[Item]:
    most = settings.INGEST_MAX_RECORDS
    try:
        items = list(islice(format_.read(body_of(request, held), reading), most + 1))
    except MalformedError as error:
        raise malformed(error) from error
    except UnsupportedError as error:
        raise Refusal(422, str(error), kind="unsupported-body", title="The body holds no usable records") from error
    except TooManyError as error:
        raise Refusal(413, str(error)) from error
    if len(items) > most:
        raise Refusal(413, f"A batch holds at most {most:,} records.")
    return items


def _plain(format_: Format) -> Endpoint:
    """The endpoint of a format whose senders take counts and problem documents."""
    return guarded(lambda request: counts(request, take(request, format_)), problem)


ingest_native: Final = _plain(NATIVE)
ingest_litellm: Final = _plain(LITELLM)
ingest_envoy: Final = _plain(ENVOY)
