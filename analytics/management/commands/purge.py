"""`manage.py purge`: remove requests and hours that are older than they are kept, now, in the foreground."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics import retention
from analytics.retention import Passed, expected
from ingestion.writer.retries import UnavailableError
from teams.models import Organization

Told = dict[str, dict[str, Any]]


class Command(BaseCommand):
    """Remove, or with --dry-run say, what is old. May be stopped at any time: the next run goes on."""

    help = "Removes requests and hours that are older than they are kept. Totals stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command."""
        parser.add_argument("--organization", metavar="SLUG", help="only this organization")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and what keeps the rest")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it for one or all organizations. Raises CommandError when the database cannot do it now."""
        organizations = Organization.objects.order_by("slug")
        if options["organization"]:
            organizations = organizations.filter(slug=options["organization"])
            if not organizations:
                raise CommandError(f"There is no organization {options['organization']!r}.")
        now, told = datetime.now(UTC), Told()
        for organization in organizations:
            if options["dry_run"]:
                told[organization.slug] = {one.subject: asdict(one) for one in expected(organization, now)}
            else:
                told[organization.slug] = self._purge(organization, now)
        if options["json"]:
            self.stdout.write(json.dumps(told, default=str))
            return
        for slug, subjects in told.items():
            for subject, figures in subjects.items():
                self.stdout.write(f"{slug}: {_sentence(subject, figures, dry_run=options['dry_run'])}")

    def _purge(self, organization: Organization, now: datetime) -> dict[str, dict[str, Any]]:
        try:
            passed = retention.purge(organization, now, progress=self._progress)
        except UnavailableError as error:
            raise CommandError(f"The database cannot do it now, run it again: {error}") from error
        return {
            subject.value: {"before": before, "removed": passed.removed[subject]}
            for subject, before in passed.before.items()
        }

    def _progress(self, passed: Passed) -> None:
        if sys.stderr.isatty():
            done = ", ".join(f"{rows:,} {subject.value}" for subject, rows in passed.removed.items())
            self.stderr.write(f"\r{done} removed", ending="")


def _sentence(subject: str, figures: dict[str, Any], *, dry_run: bool) -> str:
    before = figures["before"]
    if before is None:
        return f"nothing to remove of {subject}."
    if not dry_run:
        return f"{figures['removed']:,} rows of {subject} removed; kept from {before:%Y-%m-%dT%H:%MZ} on."
    rows, why = figures["rows"], figures["why"]
    return f"{rows:,} rows of {subject} from before {before:%Y-%m-%dT%H:%MZ} would go; the limit: {why}."
