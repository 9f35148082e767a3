"""The invariants of FOCUS files, over a year: numbers are those of the list they are kept in."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet, Sum
from pytest_django import DjangoDbBlocker

from ingestion.models import LLMRequest, MetadataKey
from ingestion.records import CostState
from teams.access import Reach, Scope
from teams.models import Organization, Team
from tests import kept, make
from tests.focus import year
from tests.focus.year import Rows, pico

pytestmark = pytest.mark.django_db
INPUT = {"Input Tokens", "Cached Input Tokens", "Cache Write Tokens", "Cache Write Tokens (1 Hour)"}
OUTPUT = {"Output Tokens", "Reasoning Tokens"}
BILLED = (CostState.COMPUTED.value, CostState.UNPRICED.value)


@pytest.fixture(scope="module")
def _two_years(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[int, bytes]]:
    with kept.for_the_module(request, django_db_blocker):
        with django_db_blocker.unblock():
            year.prices()
            organization, other = year.company(), year.company("other", name="Acme")
            year.fill(organization)
            year.fill(other, seed=2, requests=40)
            MetadataKey.objects.filter(name="environment").update(registered=True)
            content = year.written(organization, year.question())
        yield organization.pk, content


@pytest.fixture
def acme(_two_years: tuple[int, bytes], db: None) -> Organization:
    """The year of two organizations that call everything alike; made once for the module."""
    return Organization.objects.get(pk=_two_years[0])


@pytest.fixture
def content(_two_years: tuple[int, bytes]) -> bytes:
    """The file of the whole year by the plain grain, written once for the module."""
    return _two_years[1]


@pytest.fixture
def rows(content: bytes) -> Rows:
    """Its rows."""
    return list(year.parsed(content))


def facts(organization: Organization) -> QuerySet[LLMRequest]:
    return LLMRequest.objects.filter(organization=organization)


def test_a_year(acme: Organization, rows: Rows) -> None:
    assert {row["x_CostState"] for row in rows} == {"computed", "reported", "unpriced"}
    assert "Usage Not Itemised" not in {row["SkuMeter"] for row in rows}
    check_sums(acme, rows)
    for row in rows:
        check_row(row)
    check_ids(rows)
    check_counts(acme, rows)


def check_sums(organization: Organization, rows: Rows) -> None:
    """1, 5, 12."""
    stored = facts(organization).aggregate(billed=Sum("cost"))["billed"]
    assert sum(pico(row["BilledCost"]) for row in rows) == stored
    by_team: Counter[str | None] = Counter()
    for row in rows:
        by_team[row["SubAccountName"]] += pico(row["BilledCost"])
    expected = dict(facts(organization).order_by().values_list("team__name").annotate(billed=Sum("cost")))
    assert dict(by_team) == expected
    for meters, column in ((INPUT, "input_tokens"), (OUTPUT, "output_tokens")):
        tokens = facts(organization).filter(cost_state__in=BILLED).aggregate(sum=Sum(column))["sum"]
        assert sum(int(row["ConsumedQuantity"]) for row in rows if row["SkuMeter"] in meters) == tokens
    for column, state in (("list_cost", "computed"), ("contracted_cost", "computed"), ("reported_cost", "reported")):
        name = "ContractedCost" if column == "contracted_cost" else "ListCost"
        total = facts(organization).filter(cost_state=state).aggregate(sum=Sum(column))["sum"]
        assert sum(pico(row[name]) for row in rows if row["x_CostState"] == state) == total


def check_row(row: dict[str, Any]) -> None:
    """2, 3, 4, 6, 7, 8, 9, 16 of one row."""
    priced, unit, contracted_unit = (
        Decimal(row[name]) for name in ("PricingQuantity", "ListUnitPrice", "ContractedUnitPrice")
    )
    assert unit * priced == Decimal(row["ListCost"])
    rounded = 2 * 60  # lines of the requests of one group in this year
    assert abs(contracted_unit * priced - Decimal(row["ContractedCost"])) <= Decimal("0.5e-12") * rounded
    listed, contracted, billed = (pico(row[name]) for name in ("ListCost", "ContractedCost", "BilledCost"))
    assert 0 <= contracted <= listed
    assert row["EffectiveCost"] == row["BilledCost"]
    assert row["x_MarkupPercent"] != "0" or billed == contracted
    for name in ("ConsumedQuantity", "ConsumedUnit", "PricingUnit", "SkuId", "SkuPriceId", "PricingCategory"):
        assert row[name] is not None
    assert len({row[name] is None for name in ("SubAccountId", "SubAccountName", "SubAccountType")}) == 1
    assert {row[name] for name in ("ResourceId", "ResourceName", "ResourceType", "Tags", "InvoiceId")} == {None}
    assert not {"N/A", "null", "None", ""} & set(row.values())
    start, end = (datetime.fromisoformat(row[f"ChargePeriod{side}"]) for side in ("Start", "End"))
    assert end - start == timedelta(days=1)
    assert datetime.fromisoformat(row["BillingPeriodStart"]) <= start
    assert end <= datetime.fromisoformat(row["BillingPeriodEnd"])
    assert (start.hour, start.tzinfo) == (0, UTC)
    assert flat(row["SkuPriceDetails"])
    assert not any("e" in (row[name] or "").lower() for name in ("BilledCost", "ListUnitPrice", "PricingQuantity"))


def flat(text: str) -> dict[str, str]:
    """A flat object of texts with unique keys."""
    pairs = json.loads(text, object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs)
    assert all(isinstance(value, str) for _, value in pairs)
    return dict(pairs)


def check_ids(rows: Rows) -> None:
    """10, 13."""
    said = defaultdict[tuple[str, str], set[str]](set)
    for row in rows:
        said["sku", row["SkuId"]].add(row["SkuMeter"])
        said["price", row["SkuPriceId"]].add(row["SkuPriceDetails"])
    assert {len(values) for values in said.values()} == {1}
    key = ("ChargePeriodStart", "SubAccountId", "SkuPriceId", "ConsumedUnit", "x_PriceEntryId", "x_CostState")
    more = ("x_PriceBookVersion", "x_DiscountPercent", "x_MarkupPercent", "InvoiceId", "ChargeClass")
    assert max(Counter(tuple(row[name] for name in (*key, *more)) for row in rows).values()) == 1


def check_counts(organization: Organization, rows: Rows) -> None:
    """Requests are counted once, failures that cost nothing where their model has a row."""
    billable = facts(organization).exclude(cost_state=CostState.NONE.value)
    assert sum(int(row["x_RequestCount"]) for row in rows) == billable.count()
    failed = sum(int(row["x_FailedRequests"]) for row in rows)
    assert billable.filter(failed=True).count() <= failed <= facts(organization).filter(failed=True).count()
    thought = sum(int(row["x_ReasoningTokens"] or 0) for row in rows)
    assert thought > 0


def test_prices_that_change_within_a_day(acme: Organization) -> None:
    """Two rows with different entries, one SkuPriceId (11)."""
    day = year.CHANGE.date()
    for hour in (1, 20):
        make.request(
            acme, now=year.NOW, started_at=datetime(day.year, day.month, day.day, hour, tzinfo=UTC), model="gpt-4o"
        )
    rows = year.rows(acme, year.question(day, day))
    mine = [row for row in rows if row["SkuId"] == "openai/gpt-4o/input" and row["SubAccountId"] is None]
    assert {row["ListUnitPrice"] for row in mine} >= {"2.5", "2"}
    assert {row["SkuPriceId"] for row in mine if "standard" in row["SkuPriceId"]} == {"openai/gpt-4o/input/standard/0"}


def test_a_grain_of_everything(acme: Organization) -> None:
    """Further dimensions split rows and change no sum; what is in the grain is told, and only that (7, 16)."""
    dimensions = ("virtual_account", "virtual_model", "metadata.environment")
    rows, plain = (year.rows(acme, year.question(*year.SUMMER, dimensions=asked)) for asked in (dimensions, ()))
    assert len(rows) > len(plain)
    for name in ("BilledCost", "ListCost", "ContractedCost"):
        assert sum(pico(row[name]) for row in rows) == sum(pico(row[name]) for row in plain)
    assert {row["Tags"] for row in rows} == {None, '{"environment":"prod"}', '{"environment":"test"}'}
    assert {row["x_VirtualAccount"] for row in rows} == {None, "bot", "web"}
    assert {row["x_VirtualModel"] for row in rows} == {None, "our-best"}
    for row in rows:
        assert len({row[name] is None for name in ("ResourceId", "ResourceName", "ResourceType")}) == 1
        assert (row["x_VirtualModel"] is None) == (" via " not in row["ChargeDescription"])


def test_both_formats_hold_the_same_and_twice_the_same(acme: Organization) -> None:
    """17."""
    asked = year.question(*year.SUMMER)
    content = year.written(acme, asked)
    assert content == year.written(acme, asked)
    assert content.startswith(b"AvailabilityZone,BilledCost,")
    assert content.count(b"\n") == content.count(b"\r\n")
    as_json = year.json_rows(year.written(acme, asked, "ndjson"))
    objects = ("Tags", "SkuPriceDetails")
    spelt = [
        {
            name: None if value is None else compact(value) if name in objects else str(value)
            for name, value in row.items()
        }
        for row in as_json
    ]
    assert spelt == list(year.parsed(content))
    assert all(isinstance(row["SkuPriceDetails"], dict) for row in as_json)


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def test_versions_of_the_specification(acme: Organization) -> None:
    day = {"first": year.FIRST, "last": year.FIRST}
    old, new = (year.rows(acme, year.question(**day, version=version)) for version in ("1.2", "1.3"))
    added = {"ServiceProviderName", "HostProviderName", "ContractApplied"}
    added |= {f"Allocated{name}" for name in ("MethodId", "MethodDetails", "ResourceId", "ResourceName", "Tags")}
    assert set(new[0]) - set(old[0]) == added
    focus = [name for name in old[0] if not name.startswith("x_")]
    assert len(focus) == 57 - 4
    assert list(old[0])[: len(focus)] == sorted(focus)
    assert [{name: row[name] for name in old[0]} for row in new] == old


def test_zones_of_people_change_nothing(acme: Organization) -> None:
    """14: nor that of the organization, while nothing is closed."""
    before = year.written(acme, year.question(*year.SUMMER))
    Organization.objects.filter(pk=acme.pk).update(zone="Asia/Kathmandu")
    acme.refresh_from_db()
    assert year.written(acme, year.question(*year.SUMMER)) == before


def test_organizations_are_apart(acme: Organization, rows: Rows) -> None:
    """15, and 11: the ids of prices are the same for both."""
    other = Organization.objects.get(slug="other")
    mine, theirs = rows, year.rows(other)
    assert {row["BillingAccountId"] for row in mine} == {"acme"}
    assert {row["BillingAccountId"] for row in theirs} == {"other"}
    assert {row["BillingAccountName"] for row in (*mine, *theirs)} == {"Acme"}
    teams = set(map(str, Team.objects.filter(organization=acme).values_list("pk", flat=True)))
    assert {row["SubAccountId"] for row in mine} == {*teams, None}
    assert not {row["SubAccountId"] for row in theirs} & teams
    assert sum(pico(row["BilledCost"]) for row in theirs) == facts(other).aggregate(sum=Sum("cost"))["sum"]
    shared = {row["SkuPriceId"] for row in mine} & {row["SkuPriceId"] for row in theirs}
    assert "openai/gpt-4o/input/standard/0" in shared


def test_a_team_gets_its_own_rows(acme: Organization, rows: Rows) -> None:
    team = Team.objects.get(organization=acme, name="Search")
    own = year.rows(Scope(acme.pk, "UTC", Reach.TEAMS, frozenset({team.pk})))
    assert {row["SubAccountName"] for row in own} == {"Search"}
    assert own == [row for row in rows if row["SubAccountName"] == "Search"]


def test_texts_are_as_they_are(content: bytes) -> None:
    """20: this file is for programs."""
    assert b'"=HYPERLINK(""x""),\tSearch"' in content
    assert year.HOSTILE in {row["SubAccountName"] for row in year.parsed(content)}


def test_nothing_is_a_header(acme: Organization) -> None:
    """18."""
    asked = year.question(date(2023, 1, 1), date(2023, 1, 31))
    content = year.written(acme, asked)
    assert content.startswith(b"AvailabilityZone,")
    assert content.count(b"\r\n") == 1
    assert year.written(acme, asked, "ndjson") == b""


def test_what_has_no_price_can_be_left_out(acme: Organization, rows: Rows) -> None:
    first, last = (day.isoformat() for day in year.SUMMER)
    rows = [row for row in rows if first <= row["ChargePeriodStart"][:10] <= last]
    priced = year.rows(acme, year.question(*year.SUMMER, unpriced="exclude"))
    assert priced == [row for row in rows if row["x_CostState"] != "unpriced"]
    missing = [row for row in rows if row["x_CostState"] == "unpriced"]
    assert {(row["BilledCost"], row["ListUnitPrice"], row["PricingCategory"]) for row in missing} == {
        ("0", "0", "Other")
    }
    assert all(row["ChargeDescription"].endswith(" (no price)") for row in missing)
    unpriced = facts(acme).filter(cost_state="unpriced", started_at__date__range=year.SUMMER)
    assert sum(int(row["x_RequestCount"]) for row in missing) == unpriced.count()
