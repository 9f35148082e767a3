"""Import a catalogue of prices into the price book: the difference first, then the entries."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingestion.pricing.catalogues import files, genai_prices
from ingestion.pricing.catalogues.base import Catalogue, UnreadableError, instant, part
from ingestion.pricing.catalogues.diff import Change, Kind
from ingestion.pricing.imports import ChangedError, Plan, append, plan
from teams.models import Organization

SHOWN: Final = 40
"""Lines of each kind that people are shown unless they ask for all."""
_TITLES: Final = {Kind.NEW: "New", Kind.CHANGED: "Changed", Kind.GONE: "Gone: no price from then on"}


def _instant(text: str) -> datetime:
    try:
        return instant(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is not a day or a time such as 2026-01-31 or 2026-01-31T12:00Z") from None


class Command(BaseCommand):
    """`import_prices SOURCE [--organization SLUG] [--apply]`."""

    help = (
        "Compares a catalogue of prices (genai-prices, LiteLLM's price file, our CSV) with its earlier imports and "
        "shows the difference. Nothing is written without --apply or --confirm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """SOURCE, whom it is for, from when on, what to do."""
        parser.add_argument("source", help=f"a file, or {genai_prices.NAME} for the installed package")
        parser.add_argument("--organization", metavar="SLUG", help="prices of one organization; default: everybody's")
        parser.add_argument(
            "--format", choices=("auto", *files.READERS), default="auto", help="default: by the content"
        )
        parser.add_argument("--name", default="", help="name of a file's catalogue; default: litellm or csv")
        parser.add_argument(
            "--effective-from", type=_instant, metavar="WHEN", help="start of prices without a date, UTC; default: now"
        )
        write = parser.add_mutually_exclusive_group()
        write.add_argument("--apply", action="store_true", help="append the difference without asking")
        write.add_argument("--confirm", action="store_true", help="ask, then append the difference")
        parser.add_argument("--all", action="store_true", help=f"show every line, not the first {SHOWN} of each kind")
        parser.add_argument("--json", action="store_true", help="print the whole difference as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the difference; append it if told to. Raises CommandError for what cannot be read."""
        organization = _organization(options["organization"])
        try:
            catalogue = _catalogue(options)
        except (OSError, UnreadableError) as error:
            raise CommandError(f"{options['source']}: {error}") from error
        effective_from = options["effective_from"] or timezone.now()
        found = plan(catalogue=catalogue, organization=organization, effective_from=effective_from)
        if not options["json"]:
            self.stdout.write("\n".join(_lines(found, None if options["all"] else SHOWN)))
        applied = options["apply"] or (options["confirm"] and self._agreed(found))
        if applied:
            try:
                append(shown=found, digest=found.digest, actor=None)
            except ChangedError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(_document(found, applied)) if options["json"] else _closing(found, applied))

    def _agreed(self, found: Plan) -> bool:
        """Whether the person says yes; with nothing to append nobody is asked."""
        if not found.diff.changes:
            return False
        self.stderr.write(f"Append {len(found.diff.changes):,} entries for {_whom(found)}? [y/N] ", ending="")
        self.stderr.flush()
        try:
            return input().strip().lower() in ("y", "yes")
        except EOFError:
            return False


def _organization(slug: str | None) -> Organization | None:
    if slug is None:
        return None
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        known = ", ".join(Organization.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no organization “{slug}”. There are: {known}.")
    return organization


def _catalogue(options: dict[str, Any]) -> Catalogue:
    if options["source"] == genai_prices.NAME:
        return genai_prices.read()
    content = Path(options["source"]).read_bytes()
    return files.read(content, format_name=options["format"], name=options["name"])


def _whom(found: Plan) -> str:
    return found.organization.slug if found.organization else "every organization"


def _lines(found: Plan, most: int | None) -> Iterator[str]:
    yield f"{found.catalogue.source} for {_whom(found)}, from {found.effective_from:%Y-%m-%d %H:%M:%S} UTC"
    for kind, title in _TITLES.items():
        changes = found.diff.of(kind)
        yield from _section(title, [_line(change) for change in changes], most)
    skipped = [f"{one.what} {one.reason}" for one in found.catalogue.skipped]
    yield from _section("Skipped", skipped, most)
    ignored = [f"{name} ({count:,})" for name, count in found.catalogue.ignored.most_common()]
    yield from _section("Ignored fields", ignored, most)
    yield f"Unchanged: {found.diff.unchanged:,}"


def _section(title: str, lines: list[str], most: int | None) -> Iterator[str]:
    if lines:
        yield f"{title}: {len(lines):,}"
        yield from (f"  {line}" for line in lines[:most])
        if most is not None and len(lines) > most:
            yield f"  … and {len(lines) - most:,} more; --all shows them, --json holds them"


def _line(change: Change) -> str:
    key = change.key
    price = _usd(change.new) if change.old is None else f"{_usd(change.old)} -> {_usd(change.new)}"
    return (
        f"{key.provider} {key.model_match} [{key.match_kind}] {part(key)}: {price} from {change.since:%Y-%m-%d %H:%M}"
    )


def _usd(price: Decimal | None) -> str:
    return "no price" if price is None else f"{price.normalize():f}"


def _closing(found: Plan, applied: bool) -> str:
    count = len(found.diff.changes)
    if not count:
        return "Nothing to append."
    if applied:
        return f"{count:,} entries appended. Stored requests keep their cost until they are repriced."
    return f"Nothing was written. With --apply {count:,} entries are appended."


def _document(found: Plan, applied: bool) -> dict[str, Any]:
    return {
        "catalogue": found.catalogue.name,
        "version": found.catalogue.version,
        "source": found.catalogue.source,
        "organization": found.organization.slug if found.organization else None,
        "effective_from": found.effective_from.isoformat(),
        "counts": found.counts,
        **{kind.value: [_entry(change) for change in found.diff.of(kind)] for kind in Kind},
        "skipped": [one._asdict() for one in found.catalogue.skipped],
        "ignored": dict(found.catalogue.ignored.most_common()),
        "appended": len(found.diff.changes) if applied else 0,
    }


def _entry(change: Change) -> dict[str, Any]:
    prices = {"old": change.old, "new": change.new}
    return (
        change.key._asdict()
        | {"effective_from": change.since.isoformat()}
        | {name: None if price is None else _usd(price) for name, price in prices.items()}
    )
