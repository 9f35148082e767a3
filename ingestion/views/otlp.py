"""OTLP/HTTP: protobuf or JSON by content type, answered in the same. https://opentelemetry.io/docs/specs/otlp/."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ingestion import services
from ingestion.formats import MalformedError
from ingestion.formats.otlp import OTLP_JSON, OTLP_PROTOBUF, json_spans, others, protobuf
from ingestion.views.answers import Refusal
from ingestion.views.bodies import share
from ingestion.views.endpoints import Endpoint, body_of, guarded, key_of, malformed, take


def _is_binary(request: HttpRequest) -> bool:
    """Whether the body is protobuf; the content type alone decides. Raises Refusal for any third one."""
    if request.content_type in (protobuf.CONTENT_TYPE, "application/protobuf"):
        return True
    if request.content_type == json_spans.CONTENT_TYPE:
        return False
    raise Refusal(415, f"Send {protobuf.CONTENT_TYPE} or {json_spans.CONTENT_TYPE}.")


def _answer(request: HttpRequest, kind: str, rejected: int, message: str) -> HttpResponse:
    encoding = protobuf if _is_binary(request) else json_spans
    return HttpResponse(encoding.answer(kind, rejected, message), content_type=encoding.CONTENT_TYPE)


def _refuse(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A `google.rpc.Status` in the type of the request."""
    encoding = protobuf if (request.content_type or "").endswith("protobuf") else json_spans
    body = encoding.refusal(str(refusal))
    return HttpResponse(body, status=refusal.status, headers=refusal.headers, content_type=encoding.CONTENT_TYPE)


def _traces(request: HttpRequest) -> HttpResponse:
    outcome = take(request, OTLP_PROTOBUF if _is_binary(request) else OTLP_JSON)
    return _answer(request, "spans", len(outcome.rejected), _words(outcome))


def _words(outcome: services.Outcome) -> str:
    """The first reasons, for the log of the sender; repeats and conflicts are successes to OTLP."""
    reasons = dict.fromkeys(f"{one.code.value}: {one.message}" for one in outcome.rejected)
    return " ".join(list(reasons)[:3])


def _declining(kind: str) -> Endpoint:
    def view(request: HttpRequest) -> HttpResponse:
        key_of(request, timezone.now())
        try:
            with share() as held:
                number = others.count(kind, body_of(request, held), binary=_is_binary(request))
        except MalformedError as error:
            raise malformed(error) from error
        return _answer(request, kind, number, others.DECLINED[kind] if number else "")

    return guarded(view, _refuse)


traces: Final = guarded(_traces, _refuse)
metrics: Final = _declining("metrics")
logs: Final = _declining("logs")
