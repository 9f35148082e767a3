"""Inclusive token counts into disjoint billable classes. Pure."""

from operator import attrgetter
from typing import Final

from ingestion.pricing.arithmetic import Quantities
from ingestion.records import Operation, RequestRecord

# Answers of these have no generated tokens: a missing output count is none, not an unknown one.
WITHOUT_OUTPUT: Final = frozenset({Operation.EMBEDDINGS.value, Operation.RERANK.value, Operation.MODERATION.value})
_parts: Final = attrgetter(
    *("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "audio_input_tokens", "image_input_tokens"),
    *("reasoning_tokens", "audio_output_tokens", "image_output_tokens"),
)
_UNKNOWN: Final = 10**18  # stands for an unknown whole, which contradicts nothing


def split(record: RequestRecord) -> tuple[Quantities | None, bool]:
    """Billable tokens of a record and whether its counts contradict each other (a part larger than its whole).

    None = input or output tokens are not known. Nothing is ever negative: parts are cut to fit, audio first.
    """
    output = record.output_tokens
    if output is None and record.operation in WITHOUT_OUTPUT:
        output = 0
    known = record.input_tokens is not None and output is not None
    whole_input = _UNKNOWN if record.input_tokens is None else record.input_tokens
    quantities, contradictory = disjoint(record, whole_input, _UNKNOWN if output is None else output)
    return quantities if known else None, contradictory


def disjoint(record: RequestRecord, whole_input: int, whole_output: int) -> tuple[Quantities, bool]:
    """The classes, and whether parts had to be cut."""
    read, written, write_1h, heard, seen, reasoning, spoken, drawn = _parts(record)
    read, reasoning = read or 0, reasoning or 0
    if written or write_1h or heard or seen or spoken or drawn:
        write_1h, heard, seen, spoken, drawn = write_1h or 0, heard or 0, seen or 0, spoken or 0, drawn or 0
        write = write_1h if written is None else written
    else:
        write = write_1h = heard = seen = spoken = drawn = 0
    text_in = whole_input - read - write - heard - seen
    text_out = whole_output - reasoning - spoken - drawn
    contradictory = text_in < 0 or text_out < 0 or write_1h > write
    if contradictory:
        text_in, (read, write, seen, heard) = _cut(whole_input, read, write, seen, heard)
        text_out, (reasoning, drawn, spoken) = _cut(whole_output, reasoning, drawn, spoken)
        write_1h = min(write_1h, write)
    parts = (text_in, read, write - write_1h, write_1h, heard, seen, text_out, reasoning, spoken, drawn)
    # Not by the class itself, which takes three times as long.
    return tuple.__new__(Quantities, parts), contradictory


def _cut(whole: int, *parts: int) -> tuple[int, list[int]]:
    """The rest of a whole, and its parts cut to fit: the first ones keep most."""
    kept = []
    for part in parts:
        kept.append(min(part, whole))
        whole -= kept[-1]
    return whole, kept
