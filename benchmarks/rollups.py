"""Rollups: one closed hour beside a single GROUP BY of it, and everything anew."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Count

from analytics.rollups import drain
from analytics.rollups.hours import rebuild_hour
from benchmarks import processor
from benchmarks.clock import Stopwatch, say
from benchmarks.load import manage
from benchmarks.tenants import Tenant
from ingestion.models import LLMRequest

ROUNDS: Final = 10
_SCAN: Final = (
    "SELECT team_id, user_id, virtual_account_id, model_id, virtual_model_id, count(*), "  # noqa: S608 - our table
    "sum(CASE WHEN failed THEN 1 ELSE 0 END), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), "
    f"sum(cost) FROM {LLMRequest._meta.db_table} WHERE organization_id = %s AND hour_start = %s GROUP BY 1, 2, 3, 4, 5"
)


@dataclass(slots=True)
class Hour:
    """Seconds of each round: the rollup of one hour into all grains, and one scan of it."""

    requests: int
    rollup: list[float] = field(default_factory=list)
    scan: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A rebuild of everything: seconds by the clock, and of the processor (None where unknown)."""

    requests: int
    hours: int
    seconds: float
    portal: float
    database: float | None
    text: str

    @property
    def per_core(self) -> float | None:
        """Requests per second of processor time, of the portal and of the database together; None where unknown."""
        return None if self.database is None else self.requests / (self.portal + self.database)


def hour(tenant: Tenant) -> Hour:
    """The busiest closed hour of the last week, in turns with the scan."""
    start = _busiest(tenant)
    facts = LLMRequest.objects.filter(organization=tenant.organization, hour_start=start)
    measured = Hour(facts.count())
    say(f"rollup of an hour of {measured.requests:,} requests")
    for _ in range(ROUNDS):
        for seconds, act in ((measured.rollup, _rollup), (measured.scan, _scan)):
            watch = Stopwatch()
            with watch.running():
                act(tenant, start)
            seconds.append(watch.seconds)
    drain(tenant.organization.pk)
    return measured


def _busiest(tenant: Tenant) -> datetime:
    end = tenant.calendar.period.end
    facts = LLMRequest.objects.filter(
        organization=tenant.organization,
        hour_start__gte=end - timedelta(days=7),
        hour_start__lt=end - timedelta(hours=2),
    )
    found: datetime = facts.values_list("hour_start").annotate(count=Count("pk")).order_by("-count")[0][0]
    return found


def _rollup(tenant: Tenant, start: datetime) -> None:
    rebuild_hour(tenant.organization, start)


def _scan(tenant: Tenant, start: datetime) -> None:
    with connection.cursor() as cursor:
        # Adapted, or on SQLite the hour is a text with an offset, which no row has.
        cursor.execute(_SCAN, [tenant.organization.pk, connection.ops.adapt_datetimefield_value(start)])
        if not cursor.fetchall():
            raise RuntimeError("the scan found nothing")


def everything(tenant: Tenant) -> Rebuilt:
    """`rollup --rebuild --drain` of the whole period, in a process of its own."""
    say(f"rolling up {tenant.requests:,} requests anew")
    period = tenant.calendar.period
    first, last = (f"{instant:%Y-%m-%d}" for instant in (period.start - timedelta(days=1), period.end + timedelta(1)))
    before, server = processor.of_children(), processor.of_database()
    words = ("--rebuild", f"--from={first}", f"--to={last}", "--drain")
    seconds, text = manage("rollup", f"--organization={tenant.slug}", *words)
    after = processor.of_database()
    return Rebuilt(
        requests=tenant.requests,
        hours=len(tenant.calendar.hours),
        seconds=seconds,
        portal=processor.of_children() - before,
        database=None if after is None or server is None else after - server,
        text=text.strip().splitlines()[-1],
    )
