"""Percentiles of the product against the exact ones of the same facts, beside two ways of averaging hourly ones."""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt
from django.db import connection

from analytics.catalog.measures import PERCENTILES
from benchmarks.clock import say
from benchmarks.tenants import Tenant
from benchmarks.web import Portal
from ingestion.models import LLMModel, LLMRequest

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
METRICS: Final = ("latency", "ttft", "itl", "tpot")


@dataclass(frozen=True, slots=True)
class Error:
    """Largest relative error over all models, and over all percentiles or for one of them."""

    metric: str
    percentile: int
    groups: int
    product: float
    averaged: float
    weighted: float


def measure(portal: Portal, tenant: Tenant) -> list[Error]:
    """The errors of every duration at every percentile that is served, grouped by model over the whole period."""
    say("percentiles against the exact ones")
    answered = _answered(portal, tenant)
    names = dict(LLMModel.objects.filter(organization=tenant.organization).values_list("id", "name"))
    errors = []
    for metric in METRICS:
        model, hour, value = _samples(metric, tenant)
        for percentile in PERCENTILES:
            rows = [
                _errors(
                    answered[names[one]][f"{metric}_p{percentile}_ms"],
                    hour[model == one],
                    value[model == one],
                    percentile,
                )
                for one in np.unique(model).tolist()
            ]
            errors.append(Error(metric, percentile, len(rows), *np.max(rows, axis=0).tolist()))
    return errors


def _answered(portal: Portal, tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Rows of the product's report by model."""
    measures = ",".join(f"{metric}_p{percentile}_ms" for metric in METRICS for percentile in PERCENTILES)
    period = tenant.calendar.period
    borders = {
        name: instant.isoformat().replace("+00:00", "Z")
        for name, instant in (("start", period.start), ("end", period.end))
    }
    query = urlencode(borders | {"group_by": "model", "measures": measures, "format": "json"})
    rows = json.loads(portal.get(f"/api/v1/report?{query}", tenant.reader).body)["rows"]
    return {row["model"]: row for row in rows}


def _samples(metric: str, tenant: Tenant) -> tuple[Ints, Ints, Ints]:
    """Model, hour and microseconds of every successful request that has the duration."""
    statement = (
        f"SELECT model_id, extract(epoch FROM hour_start)::bigint, {metric}_us FROM {LLMRequest._meta.db_table} "  # noqa: S608 - our names
        f"WHERE organization_id = {tenant.organization.pk:d} AND NOT failed "
        f"AND {metric}_us IS NOT NULL AND model_id IS NOT NULL"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        table = np.array(cursor.fetchall(), dtype=np.int64)
    return table[:, 0], table[:, 1], table[:, 2]


def exact(values: Ints, percentile: int) -> int:
    """The exact percentile at nearest rank, in whole numbers."""
    ordered = np.sort(values)
    return int(ordered[max(1, -(-len(ordered) * percentile // 100)) - 1])


def _errors(answer_ms: float, hours: Ints, values: Ints, percentile: int) -> tuple[float, float, float]:
    """Relative errors of the product, of the mean of hourly percentiles, and of that mean weighted by requests."""
    truth = exact(values, percentile)
    order = np.argsort(hours, kind="stable")
    parts = np.split(values[order], np.flatnonzero(np.diff(hours[order])) + 1)
    hourly: Floats = np.array([exact(part, percentile) for part in parts], dtype=np.float64)
    weights = np.array([len(part) for part in parts])
    guesses = (answer_ms * 1000, float(hourly.mean()), float(np.average(hourly, weights=weights)))
    return (abs(guesses[0] - truth) / truth, abs(guesses[1] - truth) / truth, abs(guesses[2] - truth) / truth)
