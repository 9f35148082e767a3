"""Records over HTTP while old requests are removed, beside the same without: how much longer a batch takes."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from analytics.chargeback import months
from analytics.models import Period
from benchmarks.clock import nearest_rank, say
from benchmarks.tenants import Tenant
from benchmarks.web import Portal
from ingestion.models import LLMRequest
from metricsportal import children
from teams.models import Organization

ROUNDS: Final = 3
BATCH: Final = 100
EVERY: Final = 0.05
"""Seconds from batch to batch: 2,000 records a second."""
_QUIET: Final = 400  # batches of a round without a removal
_TABLE: Final = connection.ops.quote_name(LLMRequest._meta.db_table)


@dataclass(slots=True)
class Purged:
    """Seconds of every batch, without and with a removal beside it; requests removed, and a second."""

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    removed: int = 0
    rates: list[float] = field(default_factory=list)

    def ratio(self, percentile: int) -> float:
        """How many times as long a batch takes while something is removed."""
        return nearest_rank(self.beside, percentile) / nearest_rank(self.alone, percentile)


def measure(portal: Portal, tenant: Tenant, requests: int) -> Purged:
    """In each round batches alone, then beside `manage.py purge` of its share of the old requests.

    Old requests are copies of those that are stored, as many days earlier as it takes. Raises RuntimeError when a
    batch was not accepted or a request was not removed.
    """
    measured, organization = Purged(), tenant.organization
    for turn in range(ROUNDS):
        say(f"sending beside the removal of {requests // ROUNDS:,} requests, round {turn + 1} of {ROUNDS}")
        names = f"purge-{timezone.now().timestamp():.0f}-{turn}"
        measured.alone += _send(portal, tenant, f"{names}-alone", lambda sent: sent < _QUIET)
        stored = LLMRequest.objects.count()
        made = _grow_old(organization, requests // ROUNDS, names)
        began = time.perf_counter()
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "purge", "--json"]
        process = subprocess.Popen([*command, f"--organization={organization.slug}"], stdout=subprocess.PIPE, text=True)
        beside = _send(portal, tenant, f"{names}-beside", lambda sent, process=process: process.poll() is None)  # type: ignore[misc] # one process per turn
        seconds = time.perf_counter() - began
        told = json.loads(process.communicate()[0])[organization.slug]["requests"]["removed"]
        if told != made or LLMRequest.objects.count() != stored + len(beside) * BATCH:
            raise RuntimeError(f"{made:,} old requests were to go, {told:,} went")
        measured.beside += beside
        measured.removed += told
        measured.rates.append(told / seconds)
    return measured


def _send(portal: Portal, tenant: Tenant, name: str, more: Callable[[int], bool]) -> list[float]:
    """Seconds of each batch on one connection, sent at a fixed pace. Raises RuntimeError."""
    link = http.client.HTTPConnection(children.HOST, portal.port, timeout=60)
    headers = {**tenant.sender, "Content-Type": "application/json"}
    taken: list[float] = []
    following = time.perf_counter()
    while more(len(taken)):
        body = _body(f"{name}-{len(taken)}")
        started = time.perf_counter()
        link.request("POST", "/api/v1/requests", body, headers)
        response = link.getresponse()
        answer = response.read()
        taken.append(time.perf_counter() - started)
        if response.status != 200 or json.loads(answer)["accepted"] != BATCH:
            raise RuntimeError(f"a batch was answered {response.status}: {answer[:500]!r}")
        now = time.perf_counter()
        following = max(following + EVERY, now)
        time.sleep(following - now)
    link.close()
    return taken


def _body(name: str) -> bytes:
    started = (timezone.now() - timedelta(minutes=5)).isoformat()
    common = {"started_at": started, "provider": "openai", "model": "gpt-4o", "user": "purge", "status_code": 200}
    usage = {"input_tokens": 1200, "output_tokens": 340, "latency_ms": 4820, "ttft_ms": 620, "streaming": True}
    return json.dumps([{"request_id": f"{name}-{number}", **common, **usage} for number in range(BATCH)]).encode()


def _grow_old(organization: Organization, count: int, name: str) -> int:
    """Copy so many requests into a time that is not kept, whose months are closed; how many there are now."""
    days = settings.KEEP_REQUESTS_DAYS + 40
    columns = [str(field.column) for field in LLMRequest._meta.concrete_fields if not field.primary_key]
    shifted = {one: f"{one} - interval '{days} days'" for one in ("started_at", "hour_start", "received_at")}
    shifted["request_id"] = "%s::text || '-' || id"
    chosen = ", ".join(shifted.get(one, one) for one in columns)
    newest = timezone.now() - timedelta(days=30)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_TABLE} ({', '.join(columns)}) SELECT {chosen} FROM {_TABLE} "  # noqa: S608 - our table and columns
            "WHERE organization_id = %s AND started_at >= %s ORDER BY id LIMIT %s",
            [name, organization.pk, newest, count],
        )
        made = cursor.rowcount
        cursor.execute(f"ANALYZE {_TABLE}")
    _close(organization, newest - timedelta(days=days))
    return int(made)


def _close(organization: Organization, since: datetime) -> None:
    """Close the months of old requests: without statements, which nobody reads here."""
    now = timezone.now()
    month, last = months.month_of(since, organization), months.month_of(now, organization)
    while month < months.preceding(last):
        borders = months.borders(organization, month)
        fields = {"zone": organization.zone, "start": borders.start, "end": borders.end, "closed_at": now}
        Period.objects.get_or_create(organization=organization, month=month, defaults=fields)
        month = months.following(month)
