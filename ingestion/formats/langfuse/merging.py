"""What several events say about one thing, folded in any order to the same state. Pure.

Each field is kept with the time of the event that said it, and the latest one wins. So the same events give the same
state however they are spread over batches, repeated, or taken in by several processes.
"""

import json
from collections.abc import Mapping
from typing import Any

from ingestion.validation import METADATA_KEYS

State = dict[str, list[Any]]
"""JSON: name of a field -> time of its event in microseconds, 1 for an update or 0 for a creation, value."""
METADATA = "metadata."
"""Prefix of fields that are metadata."""


def merge(state: State, fields: Mapping[str, Any], stamp: int, rank: int) -> State:
    """The state with what an event says; what it does not say stays."""
    merged = dict(state)
    for name, value in fields.items():
        said = [stamp, rank, value]
        if name not in merged or _order(merged[name]) < _order(said):
            merged[name] = said
    return _bounded(merged)


def _order(said: list[Any]) -> tuple[int, int, str]:
    # Of two values of one instant any will do, as long as it is always the same one.
    return said[0], said[1], json.dumps(said[2], sort_keys=True)


def _bounded(state: State) -> State:
    keys = sorted(name for name in state if name.startswith(METADATA))
    return {name: said for name, said in state.items() if name not in keys[METADATA_KEYS:]}


def value_of(state: State, name: str) -> Any:  # noqa: ANN401 - what JSON holds
    """What is said about a field; None = nothing."""
    said = state.get(name)
    return None if said is None else said[2]


def metadata_of(state: State) -> dict[str, str]:
    """All metadata of a state."""
    return {name.removeprefix(METADATA): said[2] for name, said in state.items() if name.startswith(METADATA)}
