"""One batch of Langfuse: taken, settled as far as it is finished, answered event by event."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingestion import services
from ingestion.formats.langfuse import Event, Found
from ingestion.observations.settling import claim, settle
from ingestion.observations.taking import Taken, take
from ingestion.records import RejectedError
from ingestion.writer.retries import with_retries
from teams.models import Organization

_log = logging.getLogger(__name__)
_BAD, _FULL, _CREATED = 400, 429, 201


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one event: its id, a status, and a sentence where it is an error."""

    id: str
    status: int = _CREATED
    message: str = ""


def receive(organization: Organization, found: Sequence[Found], now: datetime, *, key_id: int | None) -> list[Answer]:
    """Store a batch and answer its events in their order; what is answered as created is committed.

    Raises UnavailableError with nothing stored when the database cannot store now.
    """
    events = [(place, event) for place, (_, event) in enumerate(found) if isinstance(event, Event)]
    taken = with_retries(lambda: take(organization.pk, key_id, events, now)) if events else Taken()
    answers = [Answer(name) for name, _ in found]
    for place, (name, event) in enumerate(found):
        if isinstance(event, RejectedError):
            answers[place] = Answer(name, _BAD, event.message)
    for place in taken.refused:
        message = "There are too many unfinished calls or traces of this organization. Send it again later."
        answers[place] = Answer(found[place][0], _FULL, message)
    for place, message in _settle(organization, found, taken, now, key_id=key_id).items():
        answers[place] = Answer(found[place][0], _BAD, message)
    return answers


def _settle(
    organization: Organization, found: Sequence[Found], taken: Taken, now: datetime, *, key_id: int | None
) -> dict[int, str]:
    """Facts of what the batch finished; why calls of which it spoke were refused, by the place of the last event."""
    refused = [(place, event) for place, (_, event) in enumerate(found) if isinstance(event, RejectedError)]
    spoken = {
        event.target: place for place, (_, event) in enumerate(found) if isinstance(event, Event) and not event.of_trace
    }
    last = set(spoken.values())
    try:
        rows = claim(organization.pk, now, taken.calls) if taken.calls else []
        # A call that only its trace made due has no place in the batch.
        places = {row.observation_id: spoken.get(row.observation_id, len(found)) for row in rows}
        outcome = settle(organization, rows, now, key_id=key_id, places=places, refused=refused)
    except services.UnavailableError as error:
        # The batch is committed, and its calls are settled by the next flush.
        _log.warning("calls of %s wait: %s", organization.slug, error)
        return {}
    return {one.index: one.message for one in outcome.rejected if one.index in last}
