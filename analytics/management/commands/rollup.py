"""`manage.py rollup`: bring the aggregates up to the facts now, in the foreground."""

import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics import rollups
from analytics.query.parsing import parse_day
from analytics.query.values import InvalidQueryError
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization


class Command(BaseCommand):
    """Rebuild what the changed-hour and changed-day logs name; with --rebuild, mark a range first."""

    help = "Roll up changed hours and days. --rebuild marks every hour from --from to --to (local days) first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command."""
        parser.add_argument("--organization", metavar="SLUG", help="only this organization")
        parser.add_argument("--drain", action="store_true", help="go on until both logs are empty")
        parser.add_argument("--rebuild", action="store_true", help="rebuild a range that did not change")
        parser.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="first local day to rebuild")
        parser.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="last local day to rebuild, inclusive")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run and print how many hours and days were rebuilt."""
        organizations = Organization.objects.all()
        if options["organization"]:
            organizations = organizations.filter(slug=options["organization"])
            if not organizations:
                raise CommandError(f"There is no organization {options['organization']!r}.")
        if options["rebuild"]:
            for organization in organizations:
                rollups.rebuild(organization, self._range(organization, options))
        total = rollups.Drained()
        for organization in organizations:
            done = rollups.drain(organization.pk, progress=self._progress)
            while options["drain"] and (done.hours or done.days):
                total = rollups.Drained(total.hours + done.hours, total.days + done.days)
                done = rollups.drain(organization.pk, progress=self._progress)
            total = rollups.Drained(total.hours + done.hours, total.days + done.days)
        self.stdout.write(f"Rolled up {total.hours} hours and {total.days} days.")

    def _range(self, organization: Organization, options: dict[str, Any]) -> TimeRange:
        if not options["first"]:
            raise CommandError("--rebuild needs --from (and --to, default today).")
        last = options["last"] or datetime.now(UTC).strftime("%Y-%m-%d")
        try:
            start = parse_day(options["first"], organization.zone, ("--from",))
            return TimeRange(start, parse_day(last, organization.zone, ("--to",), days_later=1))
        except (InvalidQueryError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _progress(self, done: rollups.Drained) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done.hours} hours, {done.days} days", ending="")
