"""Many generated requests into the facts: the pipeline makes the rows, COPY stores them, indexes are built behind it.

Faster than `import_requests`, which looks every request up and commits every 5,000. Two processes share the work:
`python -m benchmarks.bulk SLUG REQUESTS DAYS SEED END COMPANY`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Final

import django

if __name__ == "__main__":
    django.setup()

from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from benchmarks.clock import Stopwatch, say
from benchmarks.tenants import Tenant
from ingestion import names, pipeline, services
from ingestion.models import LLMRequest
from ingestion.pricing.loading import price_book
from ingestion.traffic import COMPANIES, Calendar, generate, plan
from ingestion.validation import Window
from ingestion.writer.bulk import copy_rows
from metricsportal.lib import localtime
from teams.models import Organization

PROCESSES: Final = 2
BATCH: Final = 20_000
_FIRST: Final = 2_000
"""Requests of each part that go the ordinary way, so that keys and names exist before two processes need them."""
_PLACES: Final = tuple(pipeline.COLUMNS.index(name) for name in ("metadata", "units", "usage"))
_INDEXED: Final = LLMRequest._meta


def load(tenant: Tenant) -> float:
    """Store the requests of a tenant; seconds, the indexes included. Raises RuntimeError when some are missing."""
    say(f"loading {tenant.requests:,} requests by {PROCESSES} processes")
    watch, seed, end = Stopwatch(), tenant.calendar.seed, tenant.calendar.period.end
    shares = [tenant.requests // PROCESSES, tenant.requests - tenant.requests // PROCESSES]
    words = [words_of(tenant, share, seed + number, end) for number, share in enumerate(shares)]
    with watch.running():
        for part in words:
            services.ingest_records(
                organization=tenant.organization,
                records=islice(generate(calendar_of(part)), _FIRST),
                source="benchmark",
                now=timezone.now(),
                past_days=None,
            )
        with _without_indexes():
            _in_processes(words)
    stored = LLMRequest.objects.filter(organization=tenant.organization).count()
    if stored != tenant.requests:
        raise RuntimeError(f"{stored:,} requests were stored instead of {tenant.requests:,}")
    return watch.seconds


def words_of(tenant: Tenant, requests: int, seed: int, end: datetime) -> list[str]:
    """A part of a tenant's requests, on the command line of a process."""
    days, company = tenant.calendar.period.length.days, tenant.calendar.company.name
    return [tenant.slug, str(requests), str(days), str(seed), end.isoformat(), company]


def _in_processes(words: list[list[str]]) -> None:
    running = [subprocess.Popen([sys.executable, "-m", "benchmarks.bulk", *part], env=os.environ) for part in words]
    codes = [one.wait() for one in running]
    if any(codes):
        raise RuntimeError("a process that stores requests failed; what it said stands above")


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Take the indexes of the facts away and build them again behind the block."""
    with connection.schema_editor() as editor:
        for index in _INDEXED.indexes:
            editor.remove_index(LLMRequest, index)
        for one in _unique():
            editor.remove_constraint(LLMRequest, one)
    yield
    say("building the indexes")
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
    with connection.schema_editor() as editor:
        for one in _unique():
            editor.add_constraint(LLMRequest, one)
        for index in _INDEXED.indexes:
            editor.add_index(LLMRequest, index)


def _unique() -> list["django.db.models.BaseConstraint"]:
    return [one for one in _INDEXED.constraints if isinstance(one, django.db.models.UniqueConstraint)]


def calendar_of(words: list[str]) -> Calendar:
    """The plan of a part."""
    slug, requests, days, seed, end, company = words
    return plan(
        requests=int(requests),
        days=int(days),
        end=datetime.fromisoformat(end),
        zone=localtime.zone(Organization.objects.get(slug=slug).zone),
        seed=int(seed),
        company=COMPANIES[company],
    )


def store(words: list[str]) -> None:
    """One process's part, without its first requests."""
    organization, now = Organization.objects.get(slug=words[0]), timezone.now()
    window, zone = Window.around(now, past_days=None, future_minutes=5), localtime.zone(organization.zone)
    book, types = price_book(organization.pk), [_type(column) for column in pipeline.COLUMNS]
    records = islice(generate(calendar_of(words)), _FIRST, None)
    while batch := list(islice(records, BATCH)):
        drafts, rejected = pipeline.draft(enumerate(batch), window)
        context = pipeline.Context(organization.pk, zone, now, names.intern(organization.pk, drafts, now), book)
        rows, refused = pipeline.rows(drafts, context)
        if rejected or refused:
            raise RuntimeError(f"records were refused: {[*rejected, *refused][:3]}")
        copy_rows(LLMRequest._meta.db_table, pipeline.COLUMNS, map(_adapted, rows), types)


def _adapted(row: tuple[int, pipeline.Row]) -> list[object]:
    values = list(row[1])
    for place in _PLACES:
        if values[place] is not None:
            values[place] = Jsonb(values[place], dumps=str)
    return values


def _type(column: str) -> str:
    """Name of the column's type as the driver knows it."""
    field = next(field for field in LLMRequest._meta.concrete_fields if field.column == column)
    name = str((field.rel_db_type if field.is_relation else field.db_type)(connection))
    return {"timestamp with time zone": "timestamptz"}.get(name, "text" if name.startswith("varchar") else name)


if __name__ == "__main__":
    store(sys.argv[1:])
