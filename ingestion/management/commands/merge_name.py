"""`merge_name`: one team, caller or virtual account becomes another one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ingestion.provisioning import merging
from ingestion.provisioning.kinds import KINDS
from ingestion.provisioning.lists import named
from ingestion.provisioning.preview import preview
from metricsportal.lib.formats import exact, usd
from teams.management.finding import organization_of, refusing

_STEPS = 1_000_000


class Command(BaseCommand):
    """Says what would move; merges with `--apply`, and waits until the requests of open months have followed."""

    help = "Merge a team, a caller or a virtual account into another one. It cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("into", metavar="INTO")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--apply", action="store_true", help="Carry it out. Default: only say what it would do.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        kind, organization = KINDS[options["kind"]], organization_of(options["organization"])
        row, into = (named(kind, organization, options[which]) for which in ("name", "into"))
        if row is None or into is None:
            missing = options["name"] if row is None else options["into"]
            raise CommandError(f"There is no {kind.noun} {missing!r} in {organization.slug}.")
        with refusing():
            merging.check(organization, row, into)
        found = preview(organization, kind, row)
        for one in found.months:
            self.stdout.write(f"{one.month}: {exact(one.requests)} requests, {usd(one.cost)}")
        if found.closed:
            self.stdout.write(f"Closed months keep {row.name}: {', '.join(found.closed)}")
        if not options["apply"]:
            self.stdout.write("Nothing was changed yet. Run it with --apply.")
            return
        with refusing():
            begun = merging.merge(
                actor=None, organization=organization, kind=kind, row=row, into=into, now=timezone.now()
            )
        merging.carry_on(begun.pk, clock=timezone.now, steps=_STEPS)
        self.stdout.write(f"{row.name} counts as {into.name} from now on.")
