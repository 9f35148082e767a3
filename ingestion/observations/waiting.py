"""When a call of Langfuse becomes a fact. Pure."""

from datetime import datetime, timedelta
from typing import Final

from ingestion.formats.langfuse import State, value_of

GIVEN_UP: Final = timedelta(minutes=15)
"""After so long without a word no end is expected any more; for as long repeats of a fact are recognised."""


def due_at(state: State, trace: State, *, now: datetime, grace: timedelta) -> datetime:
    """When a call of which a batch just spoke becomes a fact.

    At once with beginning, end and user. Who called is decided for ever then, so without a user it waits a little for
    its trace; without beginning or end it waits for the events that tell them.
    """
    if value_of(state, "start") is None or value_of(state, "end") is None:
        return now + GIVEN_UP
    return now if value_of(trace, "user") or value_of(state, "user") else now + grace
