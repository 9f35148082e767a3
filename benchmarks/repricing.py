"""Repricing the facts of the file, all of which change, beside one plain UPDATE of the same rows."""

import io
import json
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.management import call_command
from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from benchmarks.clock import Stopwatch, say
from ingestion.models import LLMRequest
from ingestion.repricing.selection import Selection, select
from ingestion.traffic import Calendar
from metricsportal.lib.localtime import local_date, zone
from metricsportal.lib.money import usd_text
from teams.models import Organization

ROUNDS: Final = 3
_TABLE: Final = connection.ops.quote_name(LLMRequest._meta.db_table)


@dataclass(slots=True)
class Repriced:
    """Requests a second of every round. `again`: a second run, which changed `changed_again` requests in all rounds."""

    requests: int
    updated: list[float] = field(default_factory=list)
    repriced: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    changed_again: int = 0


def measure(organization: Organization, calendar: Calendar, last: int) -> Repriced:
    """Only the facts up to the id `last` stay. In each round UPDATE gives all others a wrong cost, repricing the right.

    Before each of the two the table is written anew in the order of time, as it is when requests have come as they
    happened. Raises RuntimeError when repricing left a fact out or the costs do not add up to those of before.
    """
    _forget_beyond(last)
    selection = _everything(organization, calendar)
    facts = selection.facts()
    measured = Repriced(facts.count())
    right = _total(facts)
    for turn in range(ROUNDS):
        say(f"repricing {measured.requests:,} requests, round {turn + 1} of {ROUNDS}")
        _write_anew()
        measured.updated.append(measured.requests / _update(facts))
        _write_anew()
        for rates, wanted in ((measured.repriced, measured.requests), (measured.again, 0)):
            seconds, told = _reprice(selection, organization)
            rates.append(measured.requests / seconds)
            if told["usd_after"] != usd_text(right) or _total(facts) != right or (wanted and told["changed"] != wanted):
                raise RuntimeError(f"repricing did not make {wanted} costs right: {told}")
        measured.changed_again += told["changed"]
    return measured


def _everything(organization: Organization, calendar: Calendar) -> Selection:
    tz = zone(organization.zone)
    first, last = (local_date(instant, tz) for instant in (calendar.period.start, calendar.period.end))
    return select(organization, first=first, last=last)


def _total(facts: "QuerySet[LLMRequest]") -> int:
    return int(facts.aggregate(total=Sum("cost"))["total"] or 0)


def _forget_beyond(last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {_TABLE} WHERE id > %s", [last])  # noqa: S608 - our table


def _write_anew() -> None:
    # VACUUM FULL keeps the places that the statement before gave to the rows, which are in no order.
    with connection.cursor() as cursor:
        cursor.execute(f"CLUSTER {_TABLE} USING request_newest")
        cursor.execute(f"VACUUM (ANALYZE) {_TABLE}")


def _update(facts: "QuerySet[LLMRequest]") -> float:
    """Seconds of one statement that changes every fact; one without a cost gets one, which it must not keep."""
    watch = Stopwatch()
    with watch.running():
        facts.update(cost=Coalesce(F("cost"), 0) + 1)
    return watch.seconds


def _reprice(selection: Selection, organization: Organization) -> tuple[float, dict[str, Any]]:
    """Seconds of the command without the start of its process, and what it says."""
    watch, answer = Stopwatch(), io.StringIO()
    tz = zone(organization.zone)
    first, behind = (local_date(instant, tz) for instant in (selection.period.start, selection.period.end))
    days = {"first": first.isoformat(), "last": behind.isoformat()}
    with watch.running():
        call_command(
            "reprice", organization=organization.slug, **days, apply=True, reason="benchmark", json=True, stdout=answer
        )
    told: dict[str, Any] = json.loads(answer.getvalue())
    return watch.seconds, told
