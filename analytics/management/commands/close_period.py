"""`manage.py close_period`: freeze the statements of a month that is over, without waiting for its grace."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.chargeback.closing import close
from analytics.chargeback.months import ClosingRefusedError, name_of, parse_month
from teams.models import Organization


class Command(BaseCommand):
    """Close one month of one organization; closing it again changes nothing."""

    help = "Freeze the statements of a month that is over. A closed month is never reopened."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command."""
        parser.add_argument("--organization", metavar="SLUG", required=True)
        parser.add_argument("--month", metavar="YYYY-MM", required=True, help="a local month of the reporting zone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Close and say how many statements there are."""
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization {options['organization']!r}.")
        try:
            month = parse_month(options["month"])
            period = close(organization=organization, month=month, now=datetime.now(UTC))
        except (ClosingRefusedError, ValueError) as refusal:
            raise CommandError(str(refusal)) from refusal
        count = period.statements.count()
        frozen = f"{count} statement{'' if count == 1 else 's'}"
        self.stdout.write(f"{name_of(month)} of {organization} is closed with {frozen}.")
