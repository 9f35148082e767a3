"""What each surface of the portal says about October 2026 of acme, by team: one reader per surface."""

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.core.mail import EmailMultiAlternatives
from django.db.models import Count, Q, Sum
from django.test import Client

from ingestion.models import LLMRequest
from metricsportal.lib.money import usd_text
from teams.services import IssuedKey
from tests import make, pages

TOTAL: Final = "Total"
UNASSIGNED: Final = "Unassigned"
TEAMS: Final = ("Search", "Ads", "Labs", UNASSIGNED)
MEASURES: Final = ("requests", "failed_requests", "input_tokens", "output_tokens", "cost_usd")
DAYS: Final = {"start_date": "2026-10-01", "end_date": "2026-10-31"}
START, END = "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"  # October of Berlin


@dataclass(frozen=True, slots=True)
class Figures:
    """What is said about one team, or about all of them. No cost: nothing has a price."""

    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost: str | None


Found = dict[str, Figures]


def figures(counts: Iterable[int], cost: str | None) -> Figures:
    requests, failed, input_tokens, output_tokens = counts
    return Figures(requests, failed, input_tokens, output_tokens, cost)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The owner of acme: as a person in a browser, and as a program with a key."""

    client: Client
    key: IssuedKey

    def page(self, path: str, **parameters: str) -> str:
        response = self.client.get(path, parameters)
        assert response.status_code == 200, path
        return response.content.decode()

    def post(self, path: str, document: object, key: IssuedKey | None = None) -> Any:
        headers = make.bearer(key or self.key)
        response = Client().post(path, json.dumps(document), content_type="application/json", headers=headers)
        assert response.status_code == 200, response.content
        return response.json()

    def report(self, **parameters: str) -> str:
        response: Any = Client().get("/api/v1/report", DAYS | parameters, headers=make.bearer(self.key))
        assert response.status_code == 200, response.getvalue()
        return b"".join(response.streaming_content).decode()


def number(text: str) -> int:
    return int(text.replace(",", ""))


def with_total(found: Found) -> Found:
    """For surfaces that speak of each team alone: teams and Unassigned add up to the total."""
    cost = sum((Decimal(one.cost) for one in found.values() if one.cost is not None), Decimal(0))
    names = ("requests", "failed", "input_tokens", "output_tokens")
    counts = (sum(getattr(one, name) for one in found.values()) for name in names)
    return found | {TOTAL: figures(counts, usd_text(int(cost.scaleb(12))))}


def facts(visitor: Visitor) -> Found:
    october = LLMRequest.objects.filter(started_at__gte=START, started_at__lt=END)
    sums = {name: Sum(name) for name in ("input_tokens", "output_tokens", "cost")}
    counts = {"requests": Count("pk"), "failures": Count("pk", filter=Q(failed=True))}
    rows = october.values_list("team__name").order_by().annotate(**counts, **sums)
    return with_total({team or UNASSIGNED: figures(numbers, usd_text(cost)) for team, *numbers, cost in rows})


def shown_for(team: str) -> dict[str, str]:
    """Parameters of the dashboard: October, of one team or of all."""
    only = {TOTAL: {}, UNASSIGNED: {"f": "team:null:"}}.get(team, {"f": f"team:eq:{team}"})
    return {"from": START, "to": END, "by": "team"} | only


def dashboard(visitor: Visitor) -> Found:
    """The counters of the page; exact texts, as a screen reader reads them."""
    found: Found = {}
    for team in (*TEAMS, TOTAL):
        html = visitor.page("/o/acme/", **shown_for(team))
        counters = re.findall(r'data-counter="(\w+)".*?<span class="visually-hidden">([^<]*)</span>', html, re.DOTALL)
        texts = dict(counters)
        (failed,) = re.findall(r">(\d+) failed \(", html)
        requests, *tokens = (number(texts[name]) for name in ("requests", "input_tokens", "output_tokens"))
        cost = texts["cost"].removeprefix("$") if "$" in texts["cost"] else None
        found[team] = figures((requests, int(failed), *tokens), cost)
    return found


def dashboard_data(visitor: Visitor) -> Found:
    """The counters that the page's script gets."""
    found: Found = {}
    for team in (*TEAMS, TOTAL):
        counters = json.loads(visitor.page("/o/acme/data", **shown_for(team)))["counters"]
        one = {counter["name"]: counter for counter in counters}
        failed = int(one["requests"]["notes"][0].partition(" failed")[0])
        requests, *tokens = (one[name]["value"] for name in ("requests", "input_tokens", "output_tokens"))
        found[team] = figures((requests, failed, *tokens), one["cost"]["value"])
    return found


def asked(visitor: Visitor) -> dict[str, dict[str, Any]]:
    """The answer of metrics/query by team."""
    columns = [("count", "failures"), ("sum", "inputTokens"), ("sum", "outputTokens"), ("sum", "costInUSD")]
    question = {
        "startTs": START,
        "endTs": END,
        "type": "distribution",
        "aggregations": [{"type": kind, "column": column} for kind, column in (*columns, ("p50", "latencyMs"))],
        "groupBy": ["team"],
    }
    data = visitor.post("/api/v1/metrics/query", question)["data"]
    return {one["team"]: one for one in data["dataPoints"]} | {TOTAL: data["summary"]}


def metrics_query(visitor: Visitor) -> Found:
    names = ("total", "countFailures", "sumInputTokens", "sumOutputTokens", "sumCostInUSD")
    return {team: Figures(*(one[name] for name in names)) for team, one in asked(visitor).items()}


def reported(visitor: Visitor, *measures: str) -> dict[str, list[Any]]:
    """The report as JSON by team."""
    document = json.loads(visitor.report(format="json", group_by="team", measures=",".join(measures)))
    rows = {row["team"]: row for row in document["rows"]} | {TOTAL: document["totals"]}
    return {team: [row[measure] for measure in measures] for team, row in rows.items()}


def downloaded(visitor: Visitor, *measures: str) -> dict[str, list[str]]:
    """The report as CSV by team; the total is a file of its own."""
    by_team, whole = (
        list(csv.reader(io.StringIO(visitor.report(format="csv", measures=",".join(measures), **more))))
        for more in ({"group_by": "team"}, {})
    )
    assert (by_team[0], whole[0]) == (["team", *measures], [*measures])
    return {row[0]: row[1:] for row in by_team[1:]} | {TOTAL: whole[1]}


def report_json(visitor: Visitor) -> Found:
    return {team: Figures(*values) for team, values in reported(visitor, *MEASURES).items()}


def report_csv(visitor: Visitor) -> Found:
    rows = downloaded(visitor, *MEASURES)
    return {team: figures(map(int, row[:-1]), row[-1] or None) for team, row in rows.items()}


def statement_paths(visitor: Visitor) -> dict[str, str]:
    """Where the list of statements leads, by team."""
    links = re.findall(r'<a href="(/o/acme/statements/S[^"]+/)">([^<]+)</a>', visitor.page("/o/acme/statements/"))
    return {team: path for path, team in links}


def statement_page(visitor: Visitor) -> Found:
    """The exact total of each statement."""
    found: Found = {}
    for team, path in statement_paths(visitor).items():
        html = visitor.page(path)
        (row,) = (row for row in pages.rows(html) if row[0] == TOTAL)
        exact = pages.definitions(html).get("Exact total", "")
        cost = exact.removeprefix("at least ").removesuffix(" USD") or None
        found[team] = figures(map(number, row[1:-1]), cost)
    return with_total(found)


def statement_csv(visitor: Visitor) -> Found:
    paths = statement_paths(visitor).items()
    return with_total({team: total_of_file(visitor.page(f"{path}csv")) for team, path in paths})


def total_of_file(text: str) -> Figures:
    """The last row of a statement's CSV."""
    *_, row = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert row["kind"] == "total"
    return figures((int(row[name]) for name in MEASURES[:-1]), row["cost_exact_usd"] or None)


def administration(visitor: Visitor) -> Found:
    """Every statement that the administration lists."""
    found: Found = {}
    listed = visitor.page("/admin/analytics/statement/")
    for path in sorted(set(re.findall(r'href="(/admin/analytics/statement/\d+/change/)', listed))):
        shown = re.findall(r'field-(\w+)">.*?<div class="readonly">(.*?)</div>', visitor.page(path), re.DOTALL)
        row = dict(shown)
        counts = (int(row[name]) for name in ("requests", "failed", "input_tokens", "output_tokens"))
        cost = row["cost_in_usd"] if row["cost_in_usd"] != "no price" else None
        found[row["team_name"]] = figures(counts, cost)
    return with_total(found)


def mailed(message: EmailMultiAlternatives) -> tuple[str, Figures, Figures, Figures]:
    """The team of a message; what its text, its HTML and its file say. Text and HTML round the cost."""
    text, html = str(message.body), str(message.alternatives[0][0])
    (heading,) = re.findall(r"^(.*): LLM usage in October 2026$", text, re.MULTILINE)
    (in_text,) = re.findall(
        r"^Cost +(.+)\nRequests +([\d,]+), of which ([\d,]+) failed\nInput tokens +([\d,]+)\nOutput tokens +([\d,]+)$",
        text,
        re.MULTILINE,
    )
    pattern = r"([\d,]+) requests, ([\d,]+) failed · ([\d,]+) input and ([\d,]+) output tokens"
    (in_html,) = re.findall(pattern, html)
    (foot,) = (row for row in pages.rows(html) if row[0] == TOTAL)
    assert foot[1] == in_html[0]
    file = str(message.attachments[0][1])
    return (
        heading,
        figures(map(number, in_text[1:]), in_text[0]),
        figures(map(number, in_html), foot[2]),
        total_of_file(file),
    )
