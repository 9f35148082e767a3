"""What a chart draws of its series: each value at its place, gaps left open, bars on top of each other."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization, User
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOURS = 12
# Which marks (lines, dots, bars) of a chart hold the place of a value: index of the bucket, value, label of its series.
MARKS = """([name, index, value]) => {
  const chart = Chart.getChart(document.querySelector(`[data-panel="${name}"] canvas`));
  const {model, marks} = chart.getDatasetMeta(0).controller;
  const times = model.form === "line" ? model.axis.starts : model.axis.middles;
  const [x, y] = [chart.scales.x.getPixelForValue(times[index]), chart.scales.y.getPixelForValue(value)];
  const probe = document.createElement("canvas").getContext("2d");
  const holds = ({path, width}) => {
    probe.lineWidth = width ?? 1;
    return path && (width ? probe.isPointInStroke(path, x, y) : probe.isPointInPath(path, x, y));
  };
  return marks.map((mark, place) => [place, mark]).filter(([, mark]) => holds(mark))
    .map(([, {width, dash}]) => width ? `line ${dash}` : "area");
}"""
MODEL = """name => {
  const {model} = Chart.getChart(document.querySelector(`[data-panel="${name}"] canvas`)).getDatasetMeta(0).controller;
  return [model.axis.partial, model.series.map(({label, values}) => [label, values])];
}"""
MAX = """name => Chart.getChart(document.querySelector(`[data-panel="${name}"] canvas`)).scales.y.max"""


def _store(organization: Organization) -> None:
    """Two models in every hour but some: "early" pauses, "seldom" answers once between two gaps."""
    hours = {"early": [*range(5), *range(7, HOURS)], "seldom": [8]}
    records = [
        RequestRecord(
            request_id=f"{model}-{hour}",
            started_at=timezone.now() - timedelta(hours=hour),
            model=model,
            input_tokens=1_000 if model == "early" else 3_000,
            latency_ms=400.0 + 100 * hour,
            status_code=200,
        )
        for model, ago in hours.items()
        for hour in ago
    ]
    ingest_records(organization=organization, records=records, source="test", now=timezone.now(), past_days=None)
