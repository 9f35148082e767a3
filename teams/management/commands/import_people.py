"""`import_people`: people and teams from a CSV file, all or nothing."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from teams import letters
from teams.management.finding import organization_of, refusing
from teams.services.importing import COLUMNS, Outcome, Said, import_people


class Command(BaseCommand):
    """Says what every line does; does it with `--apply`, unless any line cannot be done."""

    help = f"Import people and teams from a CSV file with the columns {', '.join(COLUMNS)}."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--apply", action="store_true", help="Carry it out. Default: only say what it would do.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        organization = organization_of(options["organization"])
        try:
            text = options["file"].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read as UTF-8: {error}") from None
        with refusing():
            outcome = import_people(
                actor=None, organization=organization, text=text, apply=options["apply"], now=timezone.now()
            )
        self._say(outcome.done)
        if outcome.problems:
            problems = "\n".join(f"line {one.line}: {one.words}" for one in outcome.problems)
            raise CommandError(f"Nothing was changed:\n{problems}")
        self.stdout.write("Done." if options["apply"] else "Nothing was changed yet. Run it with --apply.")
        self._mail(outcome)

    def _say(self, lines: list[Said]) -> None:
        for one in lines:
            self.stdout.write(f"line {one.line}: {one.words}")

    def _mail(self, outcome: Outcome) -> None:
        unsent = [issued.invitation.email for issued in outcome.issued if not letters.send_invitation(issued)]
        if unsent:
            raise CommandError(f"The mail server did not take {len(unsent)} invitations, to be sent again: {unsent}")
