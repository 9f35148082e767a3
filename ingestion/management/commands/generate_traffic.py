"""`generate_traffic`: invented traffic for demonstrations and benchmarks, into an organization or a file."""

import json
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ingestion.records import RequestRecord
from ingestion.services import BATCH, UnavailableError, ingest_records
from ingestion.traffic import COMPANIES, Calendar, generate, plan
from ingestion.traffic.company import Person, introduce, settle
from metricsportal.lib import localtime
from teams.models import Organization

_SOURCE: Final = "generate_traffic"


class Command(BaseCommand):
    """Generates the same calls for the same requests, days, seed and end."""

    help = (
        "Generate deterministic, realistic traffic. Without --output it is stored as if a gateway had sent it, after "
        "the teams, accounts, callers and prices it needs have been created where they are missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("--requests", type=int, default=60_000, metavar="N", help="Default: 60000.")
        parser.add_argument("--days", type=int, default=30, metavar="D", help="Days before the end. Default: 30.")
        parser.add_argument(
            "--seed", type=int, default=1, metavar="S", help="Other seeds give other calls. Default: 1."
        )
        parser.add_argument(
            "--company",
            choices=list(COMPANIES),
            default="small",
            help="large: 50 models, 50 teams, 300 accounts, 2000 users, 5 metadata keys. Default: small.",
        )
        parser.add_argument("--end", metavar="INSTANT", help="ISO 8601 with offset. Default: the current minute.")
        parser.add_argument("--organization", metavar="SLUG", help="Needed when there are several.")
        parser.add_argument("--output", metavar="FILE", help="Write newline-delimited JSON there and store nothing.")
        parser.add_argument("--demo-people", action="store_true", help="Add one person per role, with passwords.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError for an option that cannot be used, and when the database cannot store."""
        now = timezone.now()
        if options["output"]:
            slug = options["organization"]
            calendar = _calendar(options, now, _organization(slug).zone if slug else "UTC")
            report, people = {"written": _write(calendar, Path(options["output"]))}, list[Person]()
        else:
            organization = _organization(options["organization"])
            report = _store(_calendar(options, now, organization.zone), organization, now)
            people = introduce(organization, COMPANIES[options["company"]]) if options["demo_people"] else []
        self.stdout.write(_as_json(report, people) if options["json"] else _as_text(report, people))


def _organization(slug: str | None) -> Organization:
    found = list(Organization.objects.filter(**({"slug": slug} if slug else {})).order_by("slug")[:2])
    if len(found) == 1:
        return found[0]
    if slug:
        raise CommandError(f"There is no organization {slug!r}. `manage.py bootstrap` creates one.")
    raise CommandError(
        "There are several organizations; choose one with --organization SLUG."
        if found
        else "There is no organization yet. `manage.py bootstrap` creates one."
    )


def _calendar(options: dict[str, Any], now: datetime, zone: str) -> Calendar:
    end = now.replace(second=0, microsecond=0)
    try:
        if options["end"]:
            end = datetime.fromisoformat(options["end"])
        return plan(
            requests=options["requests"],
            days=options["days"],
            end=end,
            zone=localtime.zone(zone),
            seed=options["seed"],
            company=COMPANIES[options["company"]],
        )
    except ValueError as error:
        raise CommandError(f"Cannot generate this: {error}.") from None


def _write(calendar: Calendar, path: Path) -> int:
    """Write one record per line and return how many; at most a batch of them is in memory."""
    encoder, written = msgspec.json.Encoder(), 0
    records = generate(calendar)
    try:
        with path.open("wb") as file:
            while lines := _lines(encoder, islice(records, BATCH)):
                file.writelines(lines)
                written += len(lines)
    except OSError as error:
        raise CommandError(f"Cannot write {path}: {error.strerror}.") from None
    return written


def _lines(encoder: msgspec.json.Encoder, records: Iterable[RequestRecord]) -> list[bytes]:
    return [encoder.encode(record) + b"\n" for record in records]


def _store(calendar: Calendar, organization: Organization, now: datetime) -> dict[str, int]:
    """Send all calls through the pipeline; returns the outcome counts."""
    settle(organization, calendar)
    try:
        outcome = ingest_records(
            organization=organization, records=generate(calendar), source=_SOURCE, now=now, past_days=None
        )
    except UnavailableError as error:
        raise CommandError(f"The database cannot store now: {error}") from error
    return {
        "received": outcome.received,
        "accepted": outcome.accepted,
        "duplicate": outcome.duplicate,
        "conflict": outcome.conflict,
        "rejected": len(outcome.rejected),
    }


def _as_json(report: dict[str, int], people: list[Person]) -> str:
    shown = [{"role": one.role, "email": one.email, "password": one.password} for one in people]
    return json.dumps(report | ({"people": shown} if shown else {}))


def _as_text(report: dict[str, int], people: list[Person]) -> str:
    lines = [", ".join(f"{count:,} {name}" for name, count in report.items())]
    if people:
        width = max(len(one.email) for one in people)
        lines += ["People to sign in as; the passwords are shown this once:"]
        lines += [f"  {one.email:<{width}}  {one.password}  {one.role}" for one in people]
    return "\n".join(lines)
