"""Tries the rules of an organization out on one record that somebody pastes; nothing is stored, nothing is kept."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from io import BytesIO
from typing import Any, Final

import msgspec

from ingestion import services
from ingestion.formats import Format, MalformedError, UnsupportedError, detect
from ingestion.formats.mapping import METADATA, Reading, Rule
from ingestion.models import AttributeRule
from ingestion.pipeline import Item
from ingestion.records import RequestRecord
from ingestion.rules import rules_of
from teams.models import Organization

MOST_BYTES: Final = 65_536
_NOT_ALONE: Final = ("metadata", "units", "usage")
"""Fields with many values: shown by their keys, or as the counts that were taken from them."""


class RefusedError(Exception):
    """There is no record to show; the sentence says why and quotes nothing but names and the id."""


@dataclass(frozen=True, slots=True)
class Value:
    """One known field of the record; `rule`: place of the rule that filled it, `before`: what it held without rules."""

    field: str
    value: str
    rule: int | None
    before: str


@dataclass(frozen=True, slots=True)
class Idle:
    """A rule that filled nothing, and why."""

    place: int
    rule: AttributeRule
    reason: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What the record becomes: its known fields, the names of the unknown ones, and the rules that filled nothing."""

    format: str
    values: tuple[Value, ...]
    unknown: tuple[str, ...]
    idle: tuple[Idle, ...]


def try_out(organization: Organization, text: str, now: datetime) -> Trial:
    """Read the first record of the text with the rules as they are now. Raises RefusedError."""
    body = text.encode("utf-8", "surrogatepass")
    format_ = _format(body)
    rules = rules_of(organization)
    filled: dict[str, int] = {}
    noting = [
        Rule(one.attribute, one.target, partial(filled.setdefault, one.target, place))
        for place, one in enumerate(rules, start=1)
    ]
    record = _known(_record(organization, _first(format_, body, Reading(tuple(noting))), now))
    without = _known(_record_or_none(organization, _first(format_, body, Reading()), now))
    values = tuple(
        Value(field, text, filled.get(field), without.get(field, "") if field in filled else "")
        for field, text in record.items()
    )
    unknown = tuple(name for name in RequestRecord.__struct_fields__ if name not in (*record, *_NOT_ALONE))
    return Trial(format_.name, values, unknown, tuple(_idle(rules, filled)))


def _format(body: bytes) -> Format:
    if len(body) > MOST_BYTES:
        raise RefusedError(f"A record to try has at most {MOST_BYTES // 1024} kB.")
    # Columns of CSV are named in errors, and anything that is no JSON would be read as them.
    if not body.lstrip(b" \t\r\n\xef\xbb\xbf").startswith((b"{", b"[")):
        raise RefusedError("Paste a record as JSON: it starts with { or [.")
    return detect(BytesIO(body))


def _first(format_: Format, body: bytes, reading: Reading) -> Item:
    try:
        item = next(iter(format_.read(body, reading)), None)
    except (MalformedError, UnsupportedError) as error:
        raise RefusedError(str(error)) from error
    if item is None:
        raise RefusedError("There is no call to a model in it.")
    return item


def _record(organization: Organization, item: Item, now: datetime) -> RequestRecord:
    """The record after the checks and the normalisation that every record takes."""
    read = services.prepare(organization=organization, items=[item], source="trial", now=now, past_days=None)
    if read.rejected:
        refused = read.rejected[0]
        raise RefusedError(f"The record would be rejected ({refused.code.value}). {refused.message}")
    return read.drafts[0].record


def _record_or_none(organization: Organization, item: Item, now: datetime) -> RequestRecord | None:
    try:
        return _record(organization, item, now)
    except RefusedError:
        return None


def _known(record: RequestRecord | None) -> dict[str, str]:
    """Known fields as text, in their order; units by `units.NAME`, metadata by `metadata.KEY`."""
    values: dict[str, Any] = {} if record is None else msgspec.structs.asdict(record)
    metadata, units, _ = (values.pop(name, None) or {} for name in _NOT_ALONE)
    named = {name: values[name] for name in RequestRecord.__struct_fields__ if values.get(name) is not None}
    named |= {f"units.{name}": units[name] for name in sorted(units)}
    return {name: _text(value) for name, value in named.items()} | {
        METADATA + key: metadata[key] for key in sorted(metadata)
    }


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal | float):
        text = f"{Decimal(repr(value)) if isinstance(value, float) else value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def _idle(rules: list[AttributeRule], filled: dict[str, int]) -> list[Idle]:
    """The rules that filled nothing."""
    return [
        Idle(place, rule, f"rule {filled[rule.target]} fills it" if rule.target in filled else "not in this record")
        for place, rule in enumerate(rules, start=1)
        if filled.get(rule.target) != place
    ]
