"""What stands behind the lines of a statement: by virtual account and token class, to the picodollar."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from analytics.chargeback import classes
from analytics.chargeback.document import from_json
from analytics.chargeback.sharing import acts
from analytics.chargeback.sharing.acts import Wanted
from analytics.models import FrozenMeters, Statement
from metricsportal.lib.money import to_picodollars
from teams.models import Organization
from tests import make, pages
from tests.analytics.statements import table
from tests.chargeback.scene import LATER, NOVEMBER, OCTOBER, close
from tests.focus import year

pytestmark = pytest.mark.django_db
BOT = '=HYPERLINK("x") <b>bot</b>'


def use(organization: Organization, month: int, **fields: Any) -> None:
    at = datetime(2026, month, 8, 9, 30, tzinfo=UTC)
    make.request(organization, now=LATER, started_at=at, **({"team": "Search", "model": "gpt-4o"} | fields))


@pytest.fixture
def acme() -> Organization:
    """Odd prices, a discount and a markup; accounts and none; reported and unpriced costs; another team."""
    for token_class, usd in (("input", "2.5"), ("cache_read", "1.25"), ("output", "10")):
        make.price("gpt-4o", token_class, usd)
    organization = year.company(zone="Europe/Berlin")
    make.adjustment(organization, "discount", "33.333")
    make.adjustment(organization, "markup", "12.5")
    for month in (10, 11):
        for account in (BOT, "web", None):
            counts = {"input_tokens": 1_001, "output_tokens": 77, "cache_read_tokens": 333}
            use(organization, month, virtual_account=account, **counts)
        use(organization, month, model="elsewhere", reported_cost_usd=Decimal("0.010000000001"), virtual_account=BOT)
        use(organization, month, model="nobody/priced-this", virtual_account=BOT)
        use(organization, month, team=year.HOSTILE, input_tokens=999_999, virtual_account="web")
    return organization


def costs(statement: Statement) -> dict[tuple[str | None, str], int]:
    """Of the lines, by month that they correct and model."""
    lines = (*statement.document["lines"], *statement.document["adjustments"])
    return {(one.get("adjusts"), one["model"]): to_picodollars(Decimal(one["cost_usd"])) for one in lines}


def test_rows_add_up_to_every_line_on_page_file_and_api(acme: Organization, client: Client) -> None:
    finance = make.member(acme, "finance")
    acts.add(actor=finance, organization=acme, wanted=Wanted("web", "even", OCTOBER), now=LATER)
    close(acme, OCTOBER)
    use(acme, 10, virtual_account="web", input_tokens=7)  # late: a correction in November
    close(acme, NOVEMBER)
    assert any(one.shared for one in Statement.objects.all())  # which is no use, and has no class
    client.force_login(finance)
    for statement in Statement.objects.all():
        path, api = f"/o/acme/statements/{statement.number}/csv", f"/api/v1/statements/{statement.number}"
        answer = client.get(api, {"organization": "acme", "detail": "classes"}).json()
        file = client.get(path, {"detail": "classes"})
        header, *rows = table(file.content.decode())
        assert header == list(classes.COLUMNS)
        sums, said = Counter[tuple[str | None, str]](), Counter[tuple[str | None, str]]()
        for row in (dict(zip(header, row, strict=True)) for row in rows):
            sums[row["adjusts"] or None, row["model"]] += to_picodollars(Decimal(row["cost_exact_usd"] or 0))
        for one in answer["rows"]:
            said[one["adjusts"], one["model"]] += to_picodollars(Decimal(one["cost_usd"] or 0))
        assert dict(sums) == dict(said) == costs(statement)
        assert answer["sha256"] == statement.digest
        written = client.get(api, {"organization": "acme", "detail": "classes", "format": "csv"})
        assert written.content == file.content
    assert ("2026-10", "gpt-4o") in costs(Statement.objects.get(team_name="Search", period__month=NOVEMBER))


def test_the_page_tells_accounts_classes_and_prices(
    acme: Organization, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(acme, OCTOBER)
    client.force_login(make.member(acme, "finance"))
    statement = Statement.objects.get(team_name="Search")
    page = client.get(f"/o/acme/statements/{statement.number}/").content.decode()
    rows = [row for row in pages.rows(page) if len(row) == 7]
    assert ["gpt-4o", BOT, "Input Tokens", "668", "$2.5 / 1M", "$0.0017", "$0.0013"] in rows
    assert ["gpt-4o", "none", "Output Tokens", "77", "$10 / 1M"] in [row[:5] for row in rows]
    assert ["nobody/priced-this", BOT, "Input Tokens", "1,000", "", "no price", "no price"] in rows
    assert BOT not in page
    assert len(rows) == 1 + 1 + 9 + 2  # the heading, elsewhere, gpt-4o, what has no price
    monkeypatch.setattr(classes, "MOST_SHOWN", 2)
    page = client.get(f"/o/acme/statements/{statement.number}/").content.decode()
    assert "10 smaller rows, together $" in page
    monkeypatch.setattr(classes, "MOST_BYTES", 10)
    page = client.get(f"/o/acme/statements/{statement.number}/").content.decode()
    assert "There are too many rows to show them here." in page
    assert len(classes.class_rows(statement, from_json(statement.document)) or ()) == 12


def test_months_frozen_without_rows_have_none(acme: Organization, client: Client) -> None:
    close(acme, OCTOBER)
    FrozenMeters.objects.all().delete()
    client.force_login(make.member(acme, "finance"))
    number = Statement.objects.get(team_name="Search").number
    assert "By virtual account" not in client.get(f"/o/acme/statements/{number}/").content.decode()
    assert client.get(f"/o/acme/statements/{number}/csv", {"detail": "classes"}).status_code == 404
    api = client.get(f"/api/v1/statements/{number}", {"organization": "acme", "detail": "classes"})
    assert api.status_code == 404


@pytest.mark.parametrize("asked", [{"detail": "all"}, {"detail": "classes", "format": "pdf"}])
def test_what_the_api_refuses(acme: Organization, client: Client, asked: dict[str, str]) -> None:
    client.force_login(make.member(acme, "finance"))
    assert client.get("/api/v1/statements/absent", {"organization": "acme"} | asked).status_code == 400
