"""What operators' tools ask: is the process alive, is it ready, how does it do."""

import hmac
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import redis
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min, Model, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.models import ChangedDay, OutboxMail
from ingestion.models import ChangedHour, IngestBatch
from metricsportal.lib import border

# The sweep runs every minute; a log row this old means that nobody consumes them.
ROLLUP_LATE: Final = timedelta(minutes=15)
OUTCOMES: Final = ("accepted", "duplicate", "conflict", "rejected")
BROKER_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class Backlog:
    """Log rows that wait for the rollup, and how long the oldest has waited."""

    rows: int
    age: timedelta


def backlog(log: type[Model]) -> Backlog:
    """The backlog of one log table."""
    found = log._default_manager.aggregate(rows=Count("id"), oldest=Min("appended_at"))
    age = timezone.now() - found["oldest"] if found["oldest"] else timedelta()
    return Backlog(found["rows"], max(age, timedelta()))


def broker_answers() -> bool:
    """Whether the task queue can take a message."""
    if not settings.REDIS_URL:
        return os.access(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"], os.W_OK)
    timeouts = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **timeouts) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Alive: the process answers. Asks nothing else, so that a lost database never restarts it."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready: 503 without the database; late rollups or a lost broker are degraded, still 200: ingest works."""
    try:
        with border.everything("sums of all organizations"):
            age = max(backlog(ChangedHour).age, backlog(ChangedDay).age)
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "checks": {"database": "unavailable"}}, status=503)
    checks = {
        "database": "ok",
        "rollups": "late" if age > ROLLUP_LATE else "ok",
        "broker": "ok" if broker_answers() else "unavailable",
    }
    status = "ok" if set(checks.values()) == {"ok"} else "degraded"
    return JsonResponse({"status": status, "checks": checks, "rollup_lag_seconds": int(age.total_seconds())})


def _ingest_samples() -> Iterator[tuple[str, int]]:
    totals = IngestBatch.objects.aggregate(**{outcome: Sum(outcome, default=0) for outcome in OUTCOMES})
    for outcome in OUTCOMES:
        yield f'{{outcome="{outcome}"}}', totals[outcome]


def _log_samples(value: Callable[[Backlog], int]) -> Iterator[tuple[str, int]]:
    for name, log in (("hour", ChangedHour), ("day", ChangedDay)):
        yield f'{{grain="{name}"}}', value(backlog(log))


def _mail_samples() -> Iterator[tuple[str, int]]:
    counts = dict(OutboxMail.objects.order_by().values_list("state").annotate(Count("id")))
    for state in OutboxMail.State.values:
        yield f'{{state="{state}"}}', counts.get(state, 0)


def _age_in_seconds(log: Backlog) -> int:
    return int(log.age.total_seconds())


# (name, type, help, samples). Sums over all organizations: no tenant's name leaves by this door.
SERIES: Final[tuple[tuple[str, str, str, Callable[[], Iterator[tuple[str, int]]]], ...]] = (
    ("portal_ingest_records_total", "counter", "Records received, by outcome.", _ingest_samples),
    (
        "portal_rollup_lag_seconds",
        "gauge",
        "Age of the oldest change that is not rolled up.",
        lambda: _log_samples(_age_in_seconds),
    ),
    (
        "portal_rollup_pending",
        "gauge",
        "Changes that are not rolled up.",
        lambda: _log_samples(lambda log: log.rows),
    ),
    ("portal_statement_mails", "gauge", "Statement e-mails, by state.", _mail_samples),
    (
        "portal_throttle_shared",
        "gauge",
        "1 when questions are counted for all server processes, 0 when each counts its own.",
        lambda: iter([("", bool(settings.THROTTLE_REDIS_URL and broker_answers()) * 1)]),
    ),
    ("portal_broker_up", "gauge", "1 when the task queue takes messages.", lambda: iter([("", broker_answers() * 1)])),
)


def _may_read_metrics(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    return not settings.METRICS_TOKEN or hmac.compare_digest(given.encode(), expected.encode())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. Asks for PORTAL_METRICS_TOKEN when one is set."""
    if not _may_read_metrics(request):
        return HttpResponse("unauthorized\n", status=401, content_type="text/plain; charset=utf-8")
    lines = []
    for name, kind, text, samples in SERIES:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        with border.everything("sums of all organizations"):
            lines += [f"{name}{labels} {value}" for labels, value in samples()]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")
