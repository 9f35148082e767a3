"""Inclusive token counts into disjoint billable classes. Pure."""

from typing import Final

from ingestion.pricing.arithmetic import Quantities
from ingestion.records import Operation, RequestRecord

# Answers of these have no generated tokens: a missing output count is none, not an unknown one.
WITHOUT_OUTPUT: Final = frozenset({Operation.EMBEDDINGS.value, Operation.RERANK.value, Operation.MODERATION.value})
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
    read, write_1h = record.cache_read_tokens or 0, record.cache_write_1h_tokens or 0
    write = write_1h if record.cache_write_tokens is None else record.cache_write_tokens
    audio_in, audio_out = record.audio_input_tokens or 0, record.audio_output_tokens or 0
    reasoning = record.reasoning_tokens or 0
    text_in = whole_input - read - write - audio_in
    text_out = whole_output - reasoning - audio_out
    if text_in >= 0 and text_out >= 0 and write_1h <= write:
        parts = Quantities(text_in, read, write - write_1h, write_1h, audio_in, text_out, reasoning, audio_out)
        return parts, False
    read = min(read, whole_input)
    write = min(write, whole_input - read)
    write_1h = min(write_1h, write)
    audio_in = min(audio_in, whole_input - read - write)
    reasoning = min(reasoning, whole_output)
    audio_out = min(audio_out, whole_output - reasoning)
    text_in, text_out = whole_input - read - write - audio_in, whole_output - reasoning - audio_out
    return Quantities(text_in, read, write - write_1h, write_1h, audio_in, text_out, reasoning, audio_out), True
