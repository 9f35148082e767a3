"""Closing the months of an organization: statements, their rows by token class and their mails."""

import resource
import time
from dataclasses import dataclass
from datetime import timedelta

from analytics.chargeback import months
from analytics.chargeback.closing import close
from analytics.models import FrozenMeters, Statement
from benchmarks import processor
from benchmarks.clock import Stopwatch, say
from benchmarks.tenants import Tenant
from ingestion.models import LLMRequest
from metricsportal.lib import border
from teams.models import Team


@dataclass(frozen=True, slots=True)
class Closed:
    """What was closed: seconds by the clock, and of the processor (None where unknown).

    `days`: days of rows by token class. `grown`: bytes by which the process was larger afterwards than ever before.
    """

    requests: int
    teams: int
    months: int
    statements: int
    days: int
    seconds: float
    portal: float
    database: float | None
    grown: int


def measure(tenant: Tenant) -> Closed:
    """Every month in which the traffic lies, one after the other. Raises RuntimeError when no rows were kept."""
    organization, period = tenant.organization, tenant.calendar.period
    first, last = months.month_of(period.start, organization), months.month_of(period.end, organization)
    now = months.borders(organization, last).end + timedelta(days=4)  # the last month need not be over yet
    watch, server, largest, busy = Stopwatch(), processor.of_database(), _largest(), time.process_time()
    month, count = first, 0
    while month <= last:
        say(f"closing {months.name_of(month)} of {organization}")
        with watch.running(), border.within(organization.pk):
            close(organization=organization, month=month, now=now)
        month, count = months.following(month), count + 1
    after = processor.of_database()
    days = FrozenMeters.objects.filter(period__organization=organization).count()
    if not days:
        raise RuntimeError("the months were closed without rows by token class")
    return Closed(
        requests=LLMRequest.objects.filter(organization=organization).count(),
        teams=Team.objects.filter(organization=organization).count(),
        months=count,
        statements=Statement.objects.filter(period__organization=organization).count(),
        days=days,
        seconds=watch.seconds,
        portal=time.process_time() - busy,
        database=None if after is None or server is None else after - server,
        grown=_largest() - largest,
    )


def _largest() -> int:
    """Bytes: what this process held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
