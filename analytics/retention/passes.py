"""One pass over an organization: move the watermarks, then remove what lies before them, chunk by chunk."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from analytics.catalog.grains import WITH_REQUESTS
from analytics.models import HourAggregate
from analytics.retention.limits import Limit, limit_of_hours, limit_of_requests
from ingestion import purging
from ingestion.purging import Kind, Subject
from ingestion.watermarks import ALWAYS
from metricsportal.lib import border
from teams.models import Organization

logger = logging.getLogger(__name__)
HOURS: Final = Kind(Subject.HOURS, HourAggregate, "bucket_start", {"postgresql": 200, "sqlite": 50})
"""Their rows are longer than those of requests."""
SUBJECTS: Final = ((purging.REQUESTS, limit_of_requests), (HOURS, limit_of_hours))
"""In this order: hours never go before the requests that they are made of."""
REST: Final = 1.0
"""Seconds of rest for each second of work, so that ingest is not disturbed."""
LEAST_REST: Final = 0.02  # seconds

Wait = Callable[[float], None]
LimitOf = Callable[[Organization, datetime], Limit | None]


@dataclass(slots=True)
class Passed:
    """What a pass did, by subject: where the watermark stands, rows removed; and whether it reached the end."""

    before: dict[Subject, datetime | None] = field(default_factory=dict)
    removed: dict[Subject, int] = field(default_factory=dict)
    chunks: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Expected:
    """What a pass would do to one subject: rows from before an instant would go, and what keeps later ones."""

    subject: str
    before: datetime | None
    rows: int = 0
    why: str = ""


def expected(organization: Organization, now: datetime) -> list[Expected]:
    """What `purge` would do now; nothing is changed.

    Hours are limited by the requests that exist, so that those which only this pass would free are not among them.
    """
    answer = []
    for kind, limit in SUBJECTS:
        found = limit(organization, now)
        if found is None:
            answer.append(Expected(kind.subject.value, None))
        else:
            rows = purging.older(kind, organization.pk, found.before).count()
            answer.append(Expected(kind.subject.value, found.before, rows, found.why))
    return answer


@dataclass(slots=True)
class _Walk:
    """The chunks of a pass, with a rest after each."""

    organization_id: int
    passed: Passed
    most: int | None
    progress: Callable[[Passed], None]
    wait: Wait

    def remove(self, kind: Kind) -> bool:
        """Whether everything is gone; False when the chunks were used up before."""
        reached: datetime | None = ALWAYS
        while reached is not None:
            if self.most is not None and self.passed.chunks >= self.most:
                return False
            began = time.monotonic()
            rows, reached = purging.remove(kind, self.organization_id, reached)
            self.passed.removed[kind.subject] += rows
            self.passed.chunks += 1
            self.progress(self.passed)
            if reached is not None:
                self.wait(max((time.monotonic() - began) * REST, LEAST_REST))
        return True


def purge(
    organization: Organization,
    now: datetime,
    *,
    chunks: int | None = None,
    progress: Callable[[Passed], None] = lambda passed: None,
    wait: Wait = time.sleep,
) -> Passed:
    """Remove what is old; `chunks` bounds the pass, the next one goes on.

    Safe to run twice, at once, and after having been killed anywhere. Raises
    `ingestion.writer.retries.UnavailableError`.
    """
    passed = Passed()
    walk = _Walk(organization.pk, passed, chunks, progress, wait)
    for kind, limit in SUBJECTS:
        before = purging.move(organization, kind.subject, partial(_instant, limit, organization, now))
        passed.before[kind.subject], passed.removed[kind.subject] = before, 0
        if before is None:
            continue
        if kind.subject is Subject.REQUESTS:
            _forget_columns(organization.pk, before)
        if not walk.remove(kind):
            passed.complete = False
            return passed
        purging.finish(kind, organization.pk, before, now)
    return passed


def _forget_columns(organization_id: int, before: datetime) -> None:
    """Single requests go from the columns that the rollup kept of them, too, and quarters of hours with them."""
    rows = HourAggregate.objects.filter(organization_id=organization_id, grain__in=WITH_REQUESTS)
    rows.filter(bucket_start__lt=before).delete()


def purge_all(now: datetime, *, chunks: int, wait: Wait = time.sleep) -> Passed:
    """A pass over every organization with so many chunks for all of them together; what was removed is added up."""
    total = Passed()
    for organization in Organization.objects.order_by("pk"):
        try:
            with border.within(organization.pk):
                passed = purge(organization, now, chunks=chunks - total.chunks, wait=wait)
        except Exception:  # one organization's trouble must not keep the others' tables from being cleared
            logger.exception("removing what is old of %s failed", organization)
            continue
        total.chunks += passed.chunks
        total.complete &= passed.complete
        for subject, rows in passed.removed.items():
            total.removed[subject] = total.removed.get(subject, 0) + rows
    return total


def _instant(limit: LimitOf, organization: Organization, now: datetime) -> datetime | None:
    found = limit(organization, now)
    return found.before if found else None
