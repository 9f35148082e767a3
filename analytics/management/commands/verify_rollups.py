"""`manage.py verify_rollups`: compare every aggregate with the facts."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics import rollups
from teams.models import Organization

MOST_LISTED = 100


class Command(BaseCommand):
    """Exit status 1 and a list when any aggregate differs from the facts."""

    help = "Compare every aggregate with the facts; exit status 1 and a list on any difference."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command."""
        parser.add_argument("--organization", metavar="SLUG", help="only this organization")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify one or all organizations."""
        organizations = Organization.objects.all()
        if options["organization"]:
            organizations = organizations.filter(slug=options["organization"])
            if not organizations:
                raise CommandError(f"There is no organization {options['organization']!r}.")
        results = {one.slug: rollups.verify(one, datetime.now(UTC)) for one in organizations}
        if options["json"]:
            self.stdout.write(json.dumps({slug: asdict(result) for slug, result in results.items()}, default=str))
        else:
            for slug, result in results.items():
                self._print(slug, result)
        if any(result.differences for result in results.values()):
            sys.exit(1)

    def _print(self, slug: str, result: rollups.Verification) -> None:
        waiting = f", {result.skipped} hours or days wait for the rollup" if result.skipped else ""
        self.stdout.write(f"{slug}: {result.cells:,} cells compared, {len(result.differences)} differences{waiting}")
        for one in result.differences[:MOST_LISTED]:
            self.stdout.write(
                f"  {one.level} {one.bucket_start:%Y-%m-%dT%H:%MZ} {one.grain}{list(one.key)} {one.column}: "
                f"stored {one.stored}, facts say {one.expected}"
            )
        if len(result.differences) > MOST_LISTED:
            self.stdout.write(f"  … and {len(result.differences) - MOST_LISTED} more")
