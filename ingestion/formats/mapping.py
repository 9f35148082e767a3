"""What a person adds to the rules of a format: which attribute of a source fills which field. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec

from ingestion.formats.values import metadata_of, shortened, text_of
from ingestion.records import Code, RejectedError, RequestRecord
from ingestion.validation import METADATA_KEYS

METADATA: Final = "metadata."
"""Prefix of targets that are metadata keys."""
_FIXED: Final = frozenset({"request_id", "started_at", "metadata", "units", "usage"})
_TYPES: Final = {one.name: one.type for one in msgspec.structs.fields(RequestRecord) if one.name not in _FIXED}
FIELDS: Final = tuple(_TYPES)
"""Fields that a rule can fill."""


_OBJECT: Final = re.compile(r"\s*[{\[]")
_PAYLOADS: Final = re.compile(
    r"(?:gen_ai\.(?:input\.messages|output\.messages|system_instructions|tool|prompt|completion|content)"
    r"|(?:input|output)\.value|llm\.(?:input_messages|output_messages|invocation_parameters|tools|prompts|completions)|embedding\.embeddings"
    r"|ai\.(?:prompt|toolCall|response\.(?:text|toolCalls|object))|langfuse\..+\.(?:input|output)"
    r"|tfy\.(?:request\.)?(?:input|output)|traceloop\.entity"
    r"|messages|prompts?|completions?|requests?|responses?|inputs?|outputs?|(?:request|response)_body"
    r"|(?:system_)?instructions|system_prompt|proxy_server_request)(?:[.\[].*)?",
    re.IGNORECASE,
)
# By their last step: credentials and whole sets of headers, traces of stacks, addresses of clients.
_PRIVATE: Final = re.compile(
    r"(?:proxy-)?authorization|(?:set-)?cookie|(?:\w+-)*api-key|api_key|stacktrace|traceback|requester_ip_address"
    r"|client_ip|x-forwarded-for|x-real-ip|(?:\w+_)?headers",
    re.IGNORECASE,
)
_ADDRESSES: Final = frozenset({"client.address", "client.socket.address", "net.peer.ip", "net.sock.peer.addr"})


@lru_cache(maxsize=4096)  # the same rules and columns are asked for each record
def is_payload(attribute: str) -> bool:
    """Whether an attribute holds what is never stored (ingest-formats 4.16).

    That is what people and models wrote, also inside the metadata of a caller, and credentials, traces of stacks and
    addresses of clients.
    """
    steps = attribute.split(".")
    inside = (".".join(steps[at:]) for at in _starts(steps))
    if attribute.lower() in _ADDRESSES or _PRIVATE.fullmatch(steps[-1]):
        return True
    return any(_PAYLOADS.fullmatch(path) for path in inside)


def _starts(steps: Sequence[str]) -> list[int]:
    """Where paths begin: at the first step, and at each one below a `metadata`, which holds what a caller likes."""
    depths = (at for at, step in enumerate(steps) if step.lower().endswith("metadata"))
    return [0, *range(next(depths, len(steps)) + 1, len(steps))]


@dataclass(frozen=True, slots=True)
class Rule:
    """The value of a source's `attribute`, where it has one, becomes `target`: a field, or `metadata.KEY`."""

    attribute: str
    target: str
    filled: Callable[[], object] | None = field(default=None, compare=False, repr=False)
    """Told when the rule filled its target, for whoever tries a mapping out."""


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
        if value is not None and _fill(record, rule, value):
            filled.add(rule.target)
            if rule.filled is not None:
                rule.filled()


def _fill(record: RequestRecord, rule: Rule, value: object) -> bool:
    if rule.target.startswith(METADATA):
        return _fill_metadata(record, rule.target.removeprefix(METADATA), value)
    text = text_of(value[0] if isinstance(value, list) and value else value)
    try:
        # Text is read as the field's own type: "12" is a count, "true" a flag.
        found = None if text is None else msgspec.convert(text, _TYPES[rule.target], strict=False)
    except (msgspec.ValidationError, UnicodeError):
        # Without the value: nobody knows what people wrote into it.
        message = f"{rule.target}: what the mapping reads from “{rule.attribute}” does not fit."
        raise RejectedError(Code.INVALID, rule.target, message) from None
    if found is None:
        return False
    setattr(record, rule.target, found)
    return True


def _fill_metadata(record: RequestRecord, key: str, value: object) -> bool:
    """A rule never costs a record that is good without it: long values are cut, and full metadata gives one key up."""
    texts = shortened(metadata_of({key: value}))
    if texts:
        others = {name: text for name, text in record.metadata.items() if name != key}
        if len(others) == METADATA_KEYS:
            others.pop(max(others))
        record.metadata = others | texts
    return bool(texts)


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
