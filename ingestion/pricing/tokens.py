"""Inclusive token counts into disjoint billable classes. Pure."""

from ingestion.pricing.arithmetic import Quantities
from ingestion.records import Operation, RequestRecord

# Answers of these have no generated tokens: a missing output count is none, not an unknown one.
WITHOUT_OUTPUT = frozenset({Operation.EMBEDDINGS.value, Operation.RERANK.value, Operation.MODERATION.value})


def quantities_of(record: RequestRecord) -> Quantities | None:
    """Billable tokens of a record; None when its input or output tokens are not known."""
    output = record.output_tokens
    if output is None and record.operation in WITHOUT_OUTPUT:
        output = 0
    if record.input_tokens is None or output is None:
        return None
    return disjoint(record, record.input_tokens, output)[0]


def contradictory(record: RequestRecord) -> bool:
    """Whether a part of the tokens is larger than its whole."""
    most = 10**18  # an unknown whole contradicts nothing
    whole_input = most if record.input_tokens is None else record.input_tokens
    whole_output = most if record.output_tokens is None else record.output_tokens
    return disjoint(record, whole_input, whole_output)[1]


def disjoint(record: RequestRecord, whole_input: int, whole_output: int) -> tuple[Quantities, bool]:
    """The classes and whether something had to be cut to keep them from being negative; audio is cut first."""
    read, write_1h = record.cache_read_tokens or 0, record.cache_write_1h_tokens or 0
    write = write_1h if record.cache_write_tokens is None else record.cache_write_tokens
    audio_in, audio_out = record.audio_input_tokens or 0, record.audio_output_tokens or 0
    reasoning = record.reasoning_tokens or 0
    if not (read or write or audio_in or audio_out or reasoning or write_1h):
        return Quantities(whole_input, 0, 0, 0, 0, whole_output, 0, 0), False
    kept_read = min(read, whole_input)
    kept_write = min(write, whole_input - kept_read)
    kept_1h = min(write_1h, kept_write)
    kept_audio_in = min(audio_in, whole_input - kept_read - kept_write)
    kept_reasoning = min(reasoning, whole_output)
    kept_audio_out = min(audio_out, whole_output - kept_reasoning)
    parts = Quantities(
        whole_input - kept_read - kept_write - kept_audio_in,
        kept_read,
        kept_write - kept_1h,
        kept_1h,
        kept_audio_in,
        whole_output - kept_reasoning - kept_audio_out,
        kept_reasoning,
        kept_audio_out,
    )
    kept = (kept_read, kept_write, kept_1h, kept_audio_in, kept_reasoning, kept_audio_out)
    return parts, kept != (read, write, write_1h, audio_in, reasoning, audio_out)
