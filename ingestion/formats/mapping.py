"""What a person adds to the rules of a format: which attribute of a source fills which field. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ingestion.formats.values import metadata_of, shortened, text_of
from ingestion.records import Code, RejectedError, RequestRecord
from ingestion.validation import METADATA_KEYS

METADATA: Final = "metadata."
"""Prefix of targets that are metadata keys."""
_FIXED: Final = frozenset({"request_id", "started_at", "metadata"})
_TYPES: Final = {field.name: field.type for field in msgspec.structs.fields(RequestRecord) if field.name not in _FIXED}
FIELDS: Final = tuple(_TYPES)
"""Fields that a rule can fill."""


_OBJECT: Final = re.compile(r"\s*[{\[]")
_PAYLOADS: Final = re.compile(
    r"(?:gen_ai\.(?:input\.messages|output\.messages|system_instructions|tool|prompt|completion|content)"
    r"|(?:input|output)\.value|llm\.(?:input_messages|output_messages|tools|prompts|completions)|embedding\.embeddings"
    r"|ai\.(?:prompt|toolCall|response\.(?:text|toolCalls|object))|langfuse\..+\.(?:input|output)|tfy\.(?:input|output)"
    r"|traceloop\.entity|exception\.stacktrace"
    r"|messages|prompts?|completions?|requests?|responses?|inputs?|outputs?|(?:request|response)_body"
    r"|proxy_server_request)(?:[.\[].*)?",
    re.IGNORECASE,
)


def is_payload(attribute: str) -> bool:
    """Whether an attribute holds what people and models wrote, which is never stored (ingest-formats 4.16)."""
    return _PAYLOADS.fullmatch(attribute) is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """The value of a source's `attribute`, where it has one, becomes `target`: a field, or `metadata.KEY`."""

    attribute: str
    target: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How one body or file is read: the rules of its organization, and whether unknown columns become metadata."""

    rules: tuple[Rule, ...] = ()
    keep_unknown: bool = False


PLAIN: Final = Reading()
"""A format's own rules, nothing else."""


def apply(record: RequestRecord, rules: Sequence[Rule], look_up: Callable[[str], Any]) -> None:
    """Fill the record from the attributes that `look_up` finds (None = absent), the first rule of a target first.

    A rule beats what the format itself reads: somebody wrote it on purpose. The record's own metadata is asked for
    attributes that the source does not have. Raises RejectedError for a value that its field cannot take.
    """
    filled: set[str] = set()
    for rule in rules:
        if rule.target in filled or is_payload(rule.attribute):
            continue
        found = look_up(rule.attribute)
        value = record.metadata.get(rule.attribute) if found is None else found
        if value is not None and _fill(record, rule.target, value):
            filled.add(rule.target)


def _fill(record: RequestRecord, target: str, value: object) -> bool:
    if target.startswith(METADATA):
        texts = metadata_of({target.removeprefix(METADATA): value})
        record.metadata = {**record.metadata, **texts}
        return bool(texts)
    text = text_of(value[0] if isinstance(value, list) and value else value)
    if text is None:
        return False
    try:
        # Text is read as the field's own type: "12" is a count, "true" a flag.
        setattr(record, target, msgspec.convert(text, _TYPES[target], strict=False))
    except msgspec.ValidationError:
        raise RejectedError(Code.INVALID, target, f"{target}: “{text[:64]}” of the mapping does not fit.") from None
    return True


def extend(
    record: RequestRecord,
    reading: Reading,
    unknown: Callable[[], Mapping[str, Any]],
    look_up: Callable[[str], Any],
) -> None:
    """What a person adds to a record that its format has read: unknown columns as metadata, then the rules."""
    if reading.keep_unknown:
        unknown_as_metadata(record, unknown())
    if reading.rules:
        apply(record, reading.rules, look_up)


def unknown_as_metadata(record: RequestRecord, values: Mapping[str, Any]) -> None:
    """Keep what a format does not know as metadata, cut to its limits, beside what the record has; never payloads.

    Objects and lists are left out, also where they are the text of a cell, perhaps cut: who knows what is in them.
    """
    extra = metadata_of({name: value for name, value in values.items() if _is_single(value) and not is_payload(name)})
    record.metadata = {**shortened(extra, most=METADATA_KEYS - len(record.metadata)), **record.metadata}


def _is_single(value: object) -> bool:
    return not _OBJECT.match(value) if isinstance(value, str) else not isinstance(value, dict | list)
