"""Shared costs in FOCUS files: one row for each line of a statement, no use of anything, nothing over all teams."""

import zlib
from datetime import UTC, date, datetime
from typing import Final

import msgspec
import pytest

from analytics.chargeback.sharing import acts
from analytics.chargeback.sharing.acts import Wanted
from analytics.meters import frozen
from analytics.meters.values import Amounts, Key, Meter
from analytics.models import Statement
from ingestion.models import LLMRequest
from teams.access import Reach, Scope
from teams.models import Team
from tests import make
from tests.chargeback import scene
from tests.focus import year
from tests.focus.test_closed_months import LATER, NOVEMBER, OCTOBER, check_invoices, close, everything, use
from tests.focus.year import Rows, pico

pytestmark = pytest.mark.django_db
AT: Final = datetime(2026, 10, 8, 9, 30, tzinfo=UTC)
LONG: Final = "=" + "bot" * 80
NO_VALUE: Final = (
    *("ConsumedQuantity", "ConsumedUnit", "PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice"),
    *("PricingCategory", "SkuId", "SkuMeter", "SkuPriceId", "SkuPriceDetails", "ResourceId", "ResourceName"),
    *("x_CostState", "x_DiscountPercent", "x_MarkupPercent", "x_Model", "x_Provider", "x_PriceEntryId"),
)


@pytest.fixture
def late() -> LLMRequest:
    """Without team, model and price, in Berlin, where rules share an account and what has no team."""
    for token_class, usd in (("input", "2.5"), ("output", "10")):
        make.price("gpt-4o", token_class, usd)
    organization = year.company(zone="Europe/Berlin")
    actor = make.member(organization, "finance")
    make.virtual_account(organization, LONG, team=Team.objects.get(organization=organization, name="Search"))
    for account, method in ((LONG, "even"), ("", "usage")):
        acts.add(actor=actor, organization=organization, wanted=Wanted(account, method, OCTOBER), now=LATER)
    use(organization, AT)
    use(organization, AT, team=year.HOSTILE)
    use(organization, AT, team=None, virtual_account=LONG)
    use(organization, AT, team=None)
    return use(organization, AT, team=None, model=None)


def shared(rows: Rows) -> Rows:
    return [row for row in rows if row["ChargeCategory"] == "Adjustment"]


def test_rows_of_shared_costs(late: LLMRequest) -> None:
    acme = late.organization
    assert shared(everything(acme)) == []
    close(acme, OCTOBER)
    check_invoices(acme)
    rows = shared(everything(acme))
    statements = {one.number: one for one in Statement.objects.all()}
    lines = [(one, line) for one in statements.values() for line in one.document["shared"]]
    assert sorted((row["InvoiceId"], row["ChargeDescription"], row["BilledCost"]) for row in rows) == sorted(
        (one.number, line["text"][:240], line["cost_usd"]) for one, line in lines
    )
    assert sum(pico(row["BilledCost"]) for row in rows) == 0
    assert max(len(row["ChargeDescription"]) for row in rows) == 240
    for row in rows:
        assert {row[name] for name in NO_VALUE} == {None}
        assert row["ListCost"] == row["ContractedCost"] == row["EffectiveCost"] == row["BilledCost"]
        assert (row["ChargeClass"], row["ChargeFrequency"], row["ServiceName"]) == (None, "One-Time", "Shared costs")
        assert (row["x_RequestCount"], row["x_FailedRequests"]) == ("0", "0")
        assert row["ProviderName"] == row["PublisherName"] == row["InvoiceIssuerName"] == acme.name
        assert (row["BillingPeriodStart"], row["ChargePeriodStart"]) == ("2026-10-01T00:00:00Z",) * 2
        assert row["ChargePeriodEnd"] == "2026-10-02T00:00:00Z"
        assert {row[name] is None for name in ("SubAccountId", "SubAccountName", "SubAccountType")} == {
            statements[row["InvoiceId"]].team is None
        }


def test_corrections_of_shares_are_charged_later_and_correct_no_use(late: LLMRequest) -> None:
    acme = late.organization
    close(acme, OCTOBER)
    scene.reprice(late, "1")
    close(acme, NOVEMBER)
    check_invoices(acme)
    corrections = [row for row in shared(everything(acme)) if row["ChargeClass"]]
    assert {(row["ChargeClass"], row["BillingPeriodStart"], row["ChargePeriodStart"]) for row in corrections} == {
        ("Correction", "2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z")
    }
    assert len(corrections) == 3
    # A share names no model, either: it must not be taken for a part of what this request cost.
    scene.reprice(late, "2")
    check_invoices(acme)
    pending = [row for row in everything(acme) if row["InvoiceId"] is None]
    assert [(row["ChargeCategory"], row["BilledCost"]) for row in pending if row["ChargeClass"]] == [("Usage", "1")]


def test_a_team_reads_its_own_shares(late: LLMRequest) -> None:
    acme = late.organization
    close(acme, OCTOBER)
    team = Team.objects.get(organization=acme, name="Search")
    scope = Scope(acme.pk, acme.zone, Reach.TEAMS, frozenset({team.pk}))
    asked = year.question(date(2026, 10, 1), date(2026, 10, 31))
    rows = shared(year.rows(scope, asked, LATER))
    assert {row["SubAccountName"] for row in rows} == {"Search"}
    assert rows == [row for row in shared(year.rows(acme, asked, LATER)) if row["SubAccountName"] == "Search"]
    whole = sum(pico(row["BilledCost"]) for row in year.rows(scope, asked, LATER))
    assert whole == Statement.objects.get(team=team).cost


def test_both_versions_and_formats_have_them(late: LLMRequest) -> None:
    acme = late.organization
    close(acme, OCTOBER)
    first = year.question(date(2026, 10, 1), date(2026, 10, 1), version="1.3", dimensions=("virtual_account",))
    rows = shared(year.json_rows(year.written(acme, first, "ndjson", LATER)))
    assert len(rows) == 6
    assert {row["HostProviderName"] for row in rows} == {acme.name}


def test_rows_of_earlier_versions_are_still_read() -> None:
    """They were kept before rows had a text."""
    row = Meter(Key(day="2026-10-08", team="Search", tags=(("a", "b"),), meter="input"), Amounts(quantity=3, billed=7))
    *key, _ = row.key
    old = zlib.compress(msgspec.json.encode([[*key, *row.amounts.values, row.has_quantity]]))
    assert frozen.unpacked(old) == [row] == frozen.unpacked(frozen.packed([row]))
