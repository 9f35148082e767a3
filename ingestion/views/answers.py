"""Refusals of ingest, and the answer of the formats that do not prescribe their own."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from ingestion import services
from metricsportal.lib import problems


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """An answer instead of records: its status, a sentence, headers and further members of the problem document."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.headers, self.members = status, headers or {}, members


def counts(request: HttpRequest, outcome: services.Outcome) -> HttpResponse:
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
    return JsonResponse(reply | ({"capped": outcome.capped} if outcome.capped else {}))


def problem(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The refusal as a problem document."""
    request_id = problems.request_id_of(request.headers.get("X-Request-ID"))
    document = problems.problem(
        refusal.status, str(refusal), instance=request.path, request_id=request_id, **refusal.members
    )
    return JsonResponse(document, status=refusal.status, headers=refusal.headers, content_type=problems.CONTENT_TYPE)
