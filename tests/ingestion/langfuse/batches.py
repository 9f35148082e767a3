"""Batches as Langfuse's SDKs send them."""

import itertools
import json
from datetime import datetime, timedelta
from typing import Any, Final

from django.test import Client

from ingestion import observations
from ingestion.formats.langfuse import Found, read
from ingestion.models import IngestBatch, LLMRequest
from ingestion.observations import Answer
from ingestion.validation import Window
from teams.models import Organization
from tests import make

PATH: Final = "/api/public/ingestion"
STARTED: Final = make.NOW - timedelta(minutes=1)
"""When the call of these tests begins."""
OUTCOMES: Final = ("accepted", "duplicate", "conflict", "rejected")
Event = dict[str, Any]
_numbers = itertools.count(1)


def at(seconds: float) -> str:
    """So many seconds after the call began."""
    return (STARTED + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def event(kind: str, second: float, **body: Any) -> Event:
    """An event with an id of its own."""
    return {"id": f"event-{next(_numbers)}", "type": kind, "timestamp": at(second), "body": body}


def created(call: str = "call", second: float = 0, **more: Any) -> Event:
    """The beginning of a call, as the SDK tells it."""
    body = {"id": call, "traceId": "trace", "startTime": at(0), "model": "gpt-4o", "input": [{"content": "how many"}]}
    return event("generation-create", second, **(body | more))


def ended(call: str = "call", second: float = 2, **more: Any) -> Event:
    """Its end."""
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}
    body = {"id": call, "traceId": "trace", "endTime": at(second), "model": "gpt-4o-2026-01-01", "usageDetails": usage}
    return event("generation-update", second, **(body | {"output": "seven"} | more))


def trace(second: float = 0, **more: Any) -> Event:
    """What is said of its trace."""
    return event("trace-create", second, **({"id": "trace", "name": "faq", "userId": "alice"} | more))


def post(client: Client, headers: dict[str, str], *events: Any, **more: str) -> Any:
    """The answer to a batch over HTTP."""
    body = json.dumps({"batch": events, "metadata": {"sdk_name": "python"}})
    return client.post(PATH, body, content_type="application/json", headers={**headers, **more})


def found_in(*events: Event, now: datetime = make.NOW) -> list[Found]:
    """What is read of a batch that comes at an instant."""
    window = Window.around(now, past_days=35, future_minutes=5)
    return list(read(json.dumps({"batch": events}).encode(), window))


def receive(organization: Organization, *events: Event, now: datetime = make.NOW) -> list[Answer]:
    """The answers to it."""
    return observations.receive(organization, found_in(*events, now=now), now, key_id=None)


def stored() -> dict[str, LLMRequest]:
    """All requests by their id."""
    related = ("model", "user", "team", "error_type")
    return {one.request_id: one for one in LLMRequest.objects.select_related(*related)}


def outcomes() -> dict[str, int]:
    """What ingest counted, zeros left out."""
    sums = {name: sum(IngestBatch.objects.values_list(name, flat=True)) for name in OUTCOMES}
    return {name: number for name, number in sums.items() if number}
