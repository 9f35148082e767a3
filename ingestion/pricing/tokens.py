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
_new: Final = tuple.__new__
_UNKNOWN: Final = 10**18  # stands for an unknown whole, which contradicts nothing


def split(record: RequestRecord) -> tuple[Quantities | None, bool]:
    """Billable tokens of a record and whether its counts contradict each other (a part larger than its whole).

    None = input or output tokens are not known. Nothing is ever negative: parts are cut to fit, audio first.
    """
    whole_input, whole_output = record.input_tokens, record.output_tokens
    if whole_output is None and record.operation in WITHOUT_OUTPUT:
        whole_output = 0
    if whole_input is None or whole_output is None:
        given = (_UNKNOWN if whole is None else whole for whole in (whole_input, whole_output))
        return None, disjoint(record, *given)[1]
    return disjoint(record, whole_input, whole_output)


def disjoint(record: RequestRecord, whole_input: int, whole_output: int) -> tuple[Quantities, bool]:
    """The classes, and whether parts had to be cut."""
    read, reasoning = record.cache_read_tokens or 0, record.reasoning_tokens or 0
    text_in, text_out = whole_input - read, whole_output - reasoning
    rare = (
        record.cache_write_tokens
        or record.cache_write_1h_tokens
        or record.audio_input_tokens
        or record.image_input_tokens
        or record.audio_output_tokens
        or record.image_output_tokens
    )
    if rare or text_in < 0 or text_out < 0:
        return _all_classes(record, whole_input, whole_output)
    # Nearly every record. Not by the class itself, which takes three times as long.
    return _new(Quantities, (text_in, read, 0, 0, 0, 0, text_out, reasoning, 0, 0)), False


def _all_classes(record: RequestRecord, whole_input: int, whole_output: int) -> tuple[Quantities, bool]:
    read, written, write_1h, heard, seen, reasoning, spoken, drawn = _parts(record)
    read, write_1h, heard, seen = read or 0, write_1h or 0, heard or 0, seen or 0
    reasoning, spoken, drawn = reasoning or 0, spoken or 0, drawn or 0
    write = write_1h if written is None else written
    text_in = whole_input - read - write - heard - seen
    text_out = whole_output - reasoning - spoken - drawn
    contradictory = text_in < 0 or text_out < 0 or write_1h > write
    if contradictory:
        text_in, (read, write, seen, heard) = _cut(whole_input, read, write, seen, heard)
        text_out, (reasoning, drawn, spoken) = _cut(whole_output, reasoning, drawn, spoken)
        write_1h = min(write_1h, write)
    short = write - write_1h
    return Quantities(text_in, read, short, write_1h, heard, seen, text_out, reasoning, spoken, drawn), contradictory


def _cut(whole: int, *parts: int) -> tuple[int, list[int]]:
    """The rest of a whole, and its parts cut to fit: the first ones keep most."""
    kept = []
    for part in parts:
        kept.append(min(part, whole))
        whole -= kept[-1]
    return whole, kept
