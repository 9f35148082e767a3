"""Langfuse's ingestion batch: answered event by event, 207 for every batch that can be read."""

from itertools import islice
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from ingestion import observations
from ingestion.formats import MalformedError
from ingestion.formats.langfuse import Found, read
from ingestion.validation import Window
from ingestion.views.answers import Refusal, problem
from ingestion.views.bodies import share
from ingestion.views.endpoints import body_of, guarded, key_of, malformed


def _batch(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    key = key_of(request, now)
    window = Window.around(now, past_days=settings.INGEST_PAST_DAYS, future_minutes=settings.INGEST_FUTURE_MINUTES)
    with share() as held:
        events = _events(body_of(request, held), window)
        answers = observations.receive(key.organization, events, now, key_id=key.pk)
    reply = {
        "successes": [{"id": one.id, "status": one.status} for one in answers if not one.message],
        "errors": [{"id": one.id, "status": one.status, "message": one.message} for one in answers if one.message],
    }
    return JsonResponse(reply, status=207)


def _events(body: bytes, window: Window) -> list[Found]:
    most = settings.INGEST_MAX_RECORDS
    try:
        events = list(islice(read(body, window), most + 1))
    except MalformedError as error:
        raise malformed(error) from error
    if len(events) > most:
        raise Refusal(413, f"A batch holds at most {most:,} events.")
    return events


batch: Final = guarded(_batch, problem)
