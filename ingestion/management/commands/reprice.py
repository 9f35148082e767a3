"""`manage.py reprice`: what stored requests would cost by today's price book, and with --apply, let them."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ingestion.repricing import runs, work
from ingestion.repricing.report import Line, Report, report
from ingestion.repricing.selection import Selection, SelectionError, select
from ingestion.repricing.tally import tally_of
from ingestion.writer.retries import UnavailableError
from metricsportal.lib.localtime import local_date, zone
from teams.models import Organization

_MOST_LINES: Final = 20
_CHUNKS: Final = 100_000
_HEAD: Final = ("requests", "changed", "before", "after", "difference")


class Command(BaseCommand):
    """Without --apply nothing is changed. Interrupted, it goes on when it is run again with the same options."""

    help = "Price stored requests by the price book as it is now: a preview, or with --apply the change, audited."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command."""
        parser.add_argument("--organization", metavar="SLUG", required=True)
        parser.add_argument("--from", dest="first", metavar="YYYY-MM-DD", required=True, help="first local day")
        parser.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="last local day; default: today")
        parser.add_argument("--model", default="", metavar="NAME", help="only this model, of any provider")
        parser.add_argument("--virtual-model", default="", metavar="NAME", help="only this virtual model")
        parser.add_argument("--team", default="", metavar="NAME", help="only this team, or Unassigned")
        parser.add_argument("--reason", metavar="TEXT", help="why, for the audit log; asked for on a terminal")
        parser.add_argument("--apply", action="store_true", help="change the stored costs")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Preview or apply, and print what it is about. Raises CommandError for what cannot be selected."""
        try:
            selection = _selection(options, timezone.now())
            found, extra = self._apply(selection, options) if options["apply"] else self._preview(selection)
        except (SelectionError, UnavailableError) as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps({"applied": options["apply"], **extra, **found.as_json()}))
        else:
            self.stdout.write("\n".join(_text(found, applied=options["apply"])))

    def _preview(self, selection: Selection) -> tuple[Report, dict[str, Any]]:
        tally = runs.preview(selection, self._progress)
        return report(tally, selection.organization), {}

    def _apply(self, selection: Selection, options: dict[str, Any]) -> tuple[Report, dict[str, Any]]:
        reason = options["reason"]
        if reason is None:
            reason = input("Why? ") if sys.stdin is not None and sys.stdin.isatty() else ""
        run, resumed = runs.begin(selection=selection, reason=reason)
        if resumed and not options["json"]:
            self.stdout.write(f"Going on with {run}, which was interrupted.")
        while work.carry_out(run.pk, clock=timezone.now, chunks=_CHUNKS, progress=self._progress) == _CHUNKS:
            pass
        run.refresh_from_db()
        if run.state != runs.State.APPLIED:
            raise CommandError(f"{run} {run.get_state_display()}. {run.trouble}")
        told = {"run": run.pk, "resumed": resumed, "price_book_version": run.price_book_version}
        return report(tally_of(run.result), selection.organization), told

    def _progress(self, done: int, expected: int) -> None:
        """One line on a terminal, nothing elsewhere."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done:,} of {expected:,} requests", ending="")
            self.stderr.flush()


def _selection(options: dict[str, Any], now: datetime) -> Selection:
    organization = Organization.objects.filter(slug=options["organization"]).first()
    if organization is None:
        raise CommandError(f"There is no organization “{options['organization']}”.")
    today = local_date(now, zone(organization.zone))
    return select(
        organization,
        first=_day(options["first"]),
        last=_day(options["last"]) if options["last"] else today,
        model=options["model"],
        virtual_model=options["virtual_model"],
        team=options["team"],
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SelectionError(f"“{text[:40]}” is not a day such as 2026-11-01.") from None


def _text(found: Report, *, applied: bool) -> Iterator[str]:
    changed = found.total.sums.changed
    yield f"{changed:,} of {found.total.sums.requests:,} requests {'were changed' if applied else 'would change'}."
    if not changed:
        yield from found.sentences
        return
    yield from ("", *_table("Model", found.models, found.total))
    yield from ("", *_table("Team", found.teams, found.total))
    if sentences := found.sentences:
        yield from ("", *sentences)
    if not applied:
        yield from ("", "Nothing was changed; --apply does it.")


def _table(title: str, lines: Sequence[Line], total: Line) -> Iterator[str]:
    """The lines with the largest differences, what the others add up to, and the total."""
    rows = [(title, *_HEAD), *(line.cells for line in lines[:_MOST_LINES])]
    if lines[_MOST_LINES:]:
        rows.append((f"… and {len(lines) - _MOST_LINES} more", *[""] * len(_HEAD)))
    rows.append(total.cells)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        figures = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join((name.ljust(widths[0]), *figures)).rstrip()
