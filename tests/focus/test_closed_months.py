"""Closed months: their rows are those of their statements and never change; what changes is charged later (19)."""

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client

from analytics import rollups
from analytics.chargeback import closing
from analytics.exports.focus.statement import statement_table
from analytics.exports.formats import pieces
from analytics.models import FrozenMeters, Statement
from analytics.query.values import InvalidQueryError, NotKeptError
from ingestion.models import LLMRequest, MetadataKey, Watermark
from teams.access import Reach, Scope
from teams.models import Organization, Team
from tests import make
from tests.chargeback import scene
from tests.focus import year
from tests.focus.year import Rows, pico

pytestmark = pytest.mark.django_db
OCTOBER: Final = date(2026, 10, 1)
NOVEMBER: Final = date(2026, 11, 1)
LATER: Final = datetime(2026, 12, 10, 12, tzinfo=UTC)


def use(organization: Organization, at: datetime, **fields: Any) -> LLMRequest:
    return make.request(organization, now=LATER, started_at=at, **({"team": "Search"} | fields))


@pytest.fixture
def acme() -> Organization:
    """Days of October and November around local midnights, in a zone whose months are not those of UTC."""
    for token_class, usd in (("input", "2.5"), ("cache_read", "1.25"), ("output", "10")):
        make.price("gpt-4o", token_class, usd)
    organization = year.company(zone="Europe/Berlin")
    make.adjustment(organization, "discount", "33.333")
    make.adjustment(organization, "markup", "12.5")
    for at in (
        datetime(2026, 9, 30, 22, 30, tzinfo=UTC),  # October in Berlin
        datetime(2026, 10, 5, 12, tzinfo=UTC),
        datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 31, 23, 0, tzinfo=UTC),  # November in Berlin
        datetime(2026, 11, 9, 12, tzinfo=UTC),
    ):
        use(organization, at, input_tokens=1_001, output_tokens=77, cache_read_tokens=333, virtual_account="bot")
        use(organization, at, input_tokens=13, output_tokens=7, team=None)
        use(organization, at, model="nobody/priced-this", team=year.HOSTILE)
        use(organization, at, model="elsewhere", reported_cost_usd=Decimal("0.01"), team=year.HOSTILE)
    return organization


def close(organization: Organization, month: date) -> None:
    closing.close(organization=organization, month=month, now=LATER)


def october(organization: Organization, form: str = "csv") -> bytes:
    return year.written(organization, year.question(date(2026, 9, 30), date(2026, 10, 31)), form, LATER)


def november(organization: Organization) -> Rows:
    return year.rows(organization, year.question(date(2026, 11, 1), date(2026, 11, 30)), LATER)


def by_invoice(rows: Rows) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["InvoiceId"]:
            sums[row["InvoiceId"]] += pico(row["BilledCost"])
    return dict(sums)


def everything(organization: Organization) -> Rows:
    return year.rows(organization, year.question(date(2026, 9, 1), date(2026, 12, 31)), LATER)


def check_invoices(organization: Organization) -> None:
    """The rows of every statement are what it charges, in files of days and in its own; all rows are all requests."""
    rows = everything(organization)
    statements = Statement.objects.filter(period__organization=organization)
    assert by_invoice(rows) == dict(statements.values_list("number", "cost"))
    stored = LLMRequest.objects.filter(organization=organization).aggregate(sum=Sum("cost"))["sum"]
    assert sum(pico(row["BilledCost"]) for row in rows) == stored
    for number, cost in statements.values_list("number", "cost"):
        found = statement_table(organization.pk, number)
        assert found is not None
        own = list(year.parsed(b"".join(pieces(found, "csv"))))
        assert sorted(map(str, own)) == sorted(str(row) for row in rows if row["InvoiceId"] == number)
        assert sum(pico(row["BilledCost"]) for row in own) == cost


def test_rows_carry_the_number_of_their_statement(acme: Organization) -> None:
    before = everything(acme)
    close(acme, OCTOBER)
    after = everything(acme)
    assert {row["InvoiceId"] for row in before} == {None}
    check_invoices(acme)
    # A UTC day that lies in two local months has rows of both, each once.
    last = [
        row for row in after if row["ChargePeriodStart"] == "2026-10-31T00:00:00Z" and row["SubAccountName"] == "Search"
    ]
    assert {
        (row["InvoiceId"] is None, row["ConsumedQuantity"]) for row in last if row["SkuMeter"] == "Output Tokens"
    } == {
        (True, "77"),
        (False, "77"),
    }
    assert {row["BillingPeriodStart"] for row in last} == {"2026-10-01T00:00:00Z"}


def change(organization: Organization) -> None:
    """A late request, a new price and one for what had none, in the closed month."""
    use(organization, datetime(2026, 10, 5, 13, tzinfo=UTC), input_tokens=500, output_tokens=0, cache_read_tokens=None)
    make.price("gpt-4o", "output", "8", effective_from=datetime(2026, 10, 31, tzinfo=UTC))
    for token_class in ("input", "output"):
        make.price("nobody/priced-this", token_class, "1")
    span = ("--from", "2026-10-01", "--to", "2026-11-30")
    call_command("reprice", "--organization", organization.slug, *span, "--apply", "--reason", "contract", "--json")


def test_a_closed_month_is_the_same_file_for_ever(acme: Organization) -> None:
    close(acme, OCTOBER)
    files = [october(acme, form) for form in ("csv", "ndjson")]
    change(acme)
    rows = [list(year.parsed(october(acme))), year.json_rows(october(acme, "ndjson"))]
    # The hour of the last day that belongs to November is open.
    for now, then in zip(rows, (list(year.parsed(files[0])), year.json_rows(files[1])), strict=True):
        assert [row for row in now if row["InvoiceId"]] == [row for row in then if row["InvoiceId"]]
    close(acme, NOVEMBER)
    final = october(acme)
    use(acme, datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    Organization.objects.filter(pk=acme.pk).update(zone="America/New_York")
    acme.refresh_from_db()
    assert october(acme) == final


def test_what_changed_is_charged_in_the_next_month(acme: Organization) -> None:
    close(acme, OCTOBER)
    change(acme)
    corrections = [row for row in november(acme) if row["ChargeClass"]]
    assert {row["ChargeClass"] for row in corrections} == {"Correction"}
    assert {row["BillingPeriodStart"] for row in corrections} == {"2026-11-01T00:00:00Z"}
    assert {row["InvoiceId"] for row in corrections} == {None}
    late = [row for row in corrections if row["ConsumedQuantity"]]
    assert [(row["SkuMeter"], row["ConsumedQuantity"], row["ListCost"], row["ChargePeriodStart"]) for row in late] == [
        ("Input Tokens", "500", "0.00125", "2026-10-05T00:00:00Z")
    ]
    repriced = [row for row in corrections if not row["ConsumedQuantity"]]
    for name in ("ConsumedUnit", "PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice"):
        assert {row[name] for row in repriced} == {None}
    listed = {
        (row["ChargePeriodStart"][:10], row["SkuPriceId"], row["SubAccountName"]): row["ListCost"] for row in repriced
    }
    output = "openai/gpt-4o/output/standard/0"
    assert listed["2026-10-31", output, "Search"] == "-0.000154"  # 77 x (8 - 10) USD per million
    assert listed["2026-10-31", output, None] == "-0.000014"
    assert listed["2026-10-05", "openai/nobody/priced-this/input/standard/0", year.HOSTILE] == "0.001"
    assert all(row["SkuId"] and row["SkuMeter"] for row in repriced)
    check_invoices(acme)
    close(acme, NOVEMBER)
    check_invoices(acme)
    charged = [row for row in november(acme) if row["ChargeClass"]]
    assert sorted(str({**row, "InvoiceId": None}) for row in charged) == sorted(map(str, corrections))
    assert all(row["InvoiceId"] for row in charged)
    use(acme, datetime(2026, 10, 6, tzinfo=UTC))
    use(acme, datetime(2026, 11, 6, tzinfo=UTC), model="new")
    assert [row for row in november(acme) if row["ChargeClass"]] == charged
    december = year.rows(acme, year.question(date(2026, 12, 1), date(2026, 12, 1)), LATER)
    assert {row["ChargePeriodStart"][:10] for row in december} == {"2026-10-06", "2026-11-06"}
    check_invoices(acme)


def test_costs_that_no_book_explains_are_stated_in_one_line(acme: Organization) -> None:
    request = use(acme, datetime(2026, 10, 7, tzinfo=UTC), team="Search")
    scene.reprice(request, "0.5")
    close(acme, OCTOBER)
    (row,) = [row for row in everything(acme) if row["SkuMeter"] == "Usage Not Itemised"]
    assert (row["BilledCost"], row["PricingUnit"], row["ListUnitPrice"]) == ("0.5", "Units", "1")
    assert row["PricingQuantity"] == row["ListCost"]
    scene.reprice(request, "0.75")
    (changed,) = [row for row in november(acme) if row["ChargeClass"]]
    assert (changed["BilledCost"], changed["SkuMeter"], changed["ConsumedQuantity"]) == (
        "0.25",
        "Usage Not Itemised",
        None,
    )
    check_invoices(acme)


def test_an_empty_month_is_closed_too(acme: Organization) -> None:
    close(acme, date(2026, 8, 1))
    use(acme, datetime(2026, 8, 15, tzinfo=UTC))
    assert [row["ChargeClass"] for row in november(acme) if row["ChargeClass"]] == []
    september = year.rows(acme, year.question(date(2026, 9, 1), date(2026, 9, 1)), LATER)
    assert {(row["ChargeClass"], row["ChargePeriodStart"][:10]) for row in september} == {("Correction", "2026-08-15")}


def test_months_without_frozen_rows_are_read_from_their_requests(acme: Organization) -> None:
    """As those that were closed before rows were kept."""
    before = october(acme)
    close(acme, OCTOBER)
    FrozenMeters.objects.all().delete()
    assert october(acme) == before


def test_closed_months_are_not_kept_by_metadata(acme: Organization) -> None:
    MetadataKey.objects.create(organization=acme, name="environment", registered=True)
    close(acme, OCTOBER)
    asked = year.question(date(2026, 10, 31), date(2026, 11, 1), dimensions=("metadata.environment",))
    with pytest.raises(InvalidQueryError, match="not kept by metadata"):
        year.rows(acme, asked, LATER)
    assert year.rows(acme, year.question(date(2026, 11, 1), date(2026, 11, 9), dimensions=asked.dimensions), LATER)


def test_rows_of_closed_months_by_account(acme: Organization) -> None:
    close(acme, OCTOBER)
    asked = year.question(date(2026, 10, 5), date(2026, 10, 5), dimensions=("virtual_account",))
    named = {(row["SubAccountName"], row["ResourceName"]) for row in year.rows(acme, asked, LATER)}
    assert {("Search", "bot"), (None, None)} <= named


def test_a_team_gets_its_own_rows_of_closed_months_and_corrections(acme: Organization) -> None:
    close(acme, OCTOBER)
    change(acme)
    team = Team.objects.get(organization=acme, name="Search")
    scope = Scope(acme.pk, acme.zone, Reach.TEAMS, frozenset({team.pk}))
    asked = year.question(date(2026, 10, 1), date(2026, 11, 30))
    rows = year.rows(scope, asked, LATER)
    assert {(row["SubAccountName"], row["ChargeClass"]) for row in rows} == {("Search", None), ("Search", "Correction")}
    assert rows == [row for row in year.rows(acme, asked, LATER) if row["SubAccountName"] == "Search"]


def test_the_page_of_a_statement_offers_its_rows(acme: Organization, client: Client) -> None:
    close(acme, OCTOBER)
    statement = Statement.objects.get(period__organization=acme, team__name="Search")
    path = f"/o/acme/statements/{statement.number}/"
    client.force_login(make.member(acme, "finance"))
    assert f'href="{path}focus"' in client.get(path).content.decode()
    response: Any = client.get(f"{path}focus")
    assert response["Content-Disposition"] == f'attachment; filename="focus-{statement.number}.csv"'
    rows = list(year.parsed(b"".join(response.streaming_content)))
    assert sum(pico(row["BilledCost"]) for row in rows) == statement.cost
    FrozenMeters.objects.all().delete()
    assert f'href="{path}focus"' not in client.get(path).content.decode()
    assert client.get(f"{path}focus").status_code == 404


def test_removed_requests(acme: Organization) -> None:
    """A frozen month outlives its requests; corrections are one line then, and open months are refused."""
    close(acme, OCTOBER)
    before = by_invoice(list(year.parsed(october(acme))))
    late = use(acme, datetime(2026, 10, 6, tzinfo=UTC))
    asked = year.question(date(2026, 10, 2), date(2026, 10, 30))
    rollups.drain(acme.pk)
    Watermark.objects.create(organization=acme, subject="requests", before=datetime(2026, 10, 20, tzinfo=UTC))
    LLMRequest.objects.filter(organization=acme, started_at__lt=datetime(2026, 10, 20, tzinfo=UTC)).delete()
    (row,) = [row for row in november(acme) if row["ChargeClass"]]
    assert (row["SkuMeter"], pico(row["BilledCost"]), row["ConsumedQuantity"]) == (
        "Usage Not Itemised",
        late.cost,
        None,
    )
    assert set(by_invoice(year.rows(acme, asked, LATER))) == set(before)
    with pytest.raises(NotKeptError, match="removed"):
        year.rows(acme, year.question(date(2026, 9, 1), date(2026, 10, 30)), LATER)
