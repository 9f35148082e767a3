"""What is said about one thing comes out the same in any order, however often, and stays small."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingestion.formats.langfuse import State, merge, value_of
from ingestion.formats.langfuse.merging import metadata_of
from ingestion.validation import METADATA_KEYS

Said = tuple[dict[str, Any], int, int]
FIELDS = st.dictionaries(
    st.sampled_from(["model", "end", "tokens", "metadata.a", "metadata.b"]),
    st.one_of(st.integers(0, 3), st.sampled_from("xyz"), st.just({"input_tokens": 1})),
)
EVENTS = st.lists(st.tuples(FIELDS, st.integers(0, 3), st.integers(0, 1)), max_size=6)


def merged(events: list[Said]) -> State:
    state: State = {}
    for fields, stamp, rank in events:
        state = json.loads(json.dumps(merge(state, fields, stamp, rank)))  # as the database keeps it
    return state


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(events: list[Said], chance: Any) -> None:
    shuffled = events + chance.sample(events, len(events) // 2)
    chance.shuffle(shuffled)
    assert merged(shuffled) == merged(events)


@given(EVENTS)
def test_the_latest_word_of_each_field_is_kept(events: list[Said]) -> None:
    state = merged(events)
    for name in {name for fields, *_ in events for name in fields}:
        latest = max((stamp, rank) for fields, stamp, rank in events if name in fields)
        values = [fields[name] for fields, stamp, rank in events if name in fields and (stamp, rank) == latest]
        assert value_of(state, name) in values
    assert value_of(state, "absent") is None


def test_metadata_of_many_events_stays_within_its_limit() -> None:
    state: State = {}
    for number in range(3 * METADATA_KEYS):
        state = merge(state, {f"metadata.key-{number:03}": "x", "model": "m"}, number, 0)
    assert list(metadata_of(state)) == [f"key-{number:03}" for number in range(METADATA_KEYS)]
    assert value_of(state, "model") == "m"
