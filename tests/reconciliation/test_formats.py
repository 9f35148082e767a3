"""Each format, read: made-up files that equal made-up traffic differ by nothing."""

import io
from collections.abc import Callable
from decimal import Decimal

import pytest

from analytics.reconciliation import ours
from analytics.reconciliation.comparing import Comparison, Line, Measure, compare
from analytics.reconciliation.formats import FORMATS
from analytics.reconciliation.generic import Columns, format_of
from analytics.reconciliation.reading import read
from analytics.reconciliation.reasons import reasons
from teams.access import scope_of_organization
from teams.models import Organization
from tests import make
from tests.reconciliation import traffic

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def acme() -> Organization:
    """A tenant of a zone whose days are not those of UTC."""
    traffic.prices()
    return make.organization("acme", zone="America/New_York")


def compared(acme: Organization, text: str, *, columns: dict[str, str] | None = None, **options: str) -> Comparison:
    """A file against what is stored."""
    bill = read(io.BytesIO(text.encode()), format_of(Columns.of(columns)) if columns else None)
    options.setdefault("provider", bill.format.provider)
    return compare(bill.figures, ours.read(scope_of_organization(acme), bill.first, bill.last), **options)


def _router(acme: Organization) -> None:
    traffic.openai(acme, provider="openrouter")


EQUAL = {
    "openai-usage": (traffic.openai, traffic.OPENAI_USAGE, {Measure.QUANTITY: 3850, Measure.REQUESTS: 3}),
    "openai-costs": (traffic.openai, traffic.OPENAI_COSTS, {Measure.COST: 11_000_000_000}),
    "anthropic-usage": (traffic.anthropic, traffic.ANTHROPIC_USAGE, {Measure.QUANTITY: 6000}),
    "anthropic-cost": (traffic.anthropic, traffic.ANTHROPIC_COST, {Measure.COST: 3_625_000_000}),
    "openrouter-requests": (
        _router,
        traffic.OPENROUTER_REQUESTS,
        {Measure.COST: 11_000_000_000, Measure.QUANTITY: 3850, Measure.REQUESTS: 3},
    ),
    "openrouter-days": (
        _router,
        traffic.OPENROUTER_DAYS,
        {Measure.COST: 11_000_000_000, Measure.QUANTITY: 3850, Measure.REQUESTS: 3},
    ),
}


def test_every_format_has_a_file() -> None:
    assert {one.name for one in FORMATS} == {*EQUAL}


@pytest.mark.parametrize("name", EQUAL)
def test_a_file_that_equals_the_traffic_differs_by_nothing(name: str, acme: Organization) -> None:
    store, text, totals = EQUAL[name]
    store(acme)
    found = compared(acme, text)
    assert {measure: table.total.theirs for measure, table in found.tables.items()} == totals
    for table in found.tables.values():
        assert [line for line in table.lines if line.theirs != line.ours] == []
    assert reasons(found, 12) == []
    assert read(io.BytesIO(text.encode())).format.name == name


def test_columns_chosen_on_the_page(acme: Organization) -> None:
    traffic.openai(acme)
    found = compared(acme, traffic.GENERIC, columns=traffic.GENERIC_COLUMNS, provider="")
    assert {*found.tables} == {Measure.COST, Measure.QUANTITY}
    assert all(not line.difference for table in found.tables.values() for line in table.lines)
    assert found.tables[Measure.COST].total.theirs == 11_000_000_000


def test_a_column_per_class_and_input_with_what_is_cached(acme: Organization) -> None:
    traffic.openai(acme)
    text = f"day,name,in,out,calls\n2026-11-20,GPT-4o-2024-08-06,3000,300,2\n2026-11-21,{traffic.MODEL},500,50,1\n"
    text = text.replace("GPT-4o-2024-08-06", traffic.MODEL)
    columns = {"day": "day", "model": "name", "input": "in", "output": "out", "requests": "calls"}
    found = compared(acme, text, columns={f"column_{role}": name for role, name in columns.items()}, provider="openai")
    lines = [line for table in found.tables.values() for line in table.lines]
    assert {line.token_class for line in lines} == {"", "all_input", "output"}
    assert [line for line in lines if line.difference] == []


def test_tokens_of_what_the_gateway_priced_are_told_by_class(acme: Organization) -> None:
    traffic.openai(acme, model="unlisted", reported_cost_usd=Decimal("0.25"))
    text = traffic.OPENAI_USAGE.replace(traffic.MODEL, "unlisted")
    found = compared(acme, text)
    assert [line for line in found.tables[Measure.QUANTITY].lines if line.difference] == []
    costs = traffic.OPENAI_COSTS.replace(traffic.MODEL, "unlisted")
    assert compared(acme, costs).tables[Measure.COST].total.ours == 750_000_000_000


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda text: text.replace("0.00125,usd", "0.0013,usd"),
            ("2026-11-21", traffic.MODEL, "input", 1_300_000_000, 1_250_000_000),
        ),
        (
            lambda text: "\n".join(row for row in text.splitlines() if "5e-4" not in row),
            ("2026-11-21", traffic.MODEL, "output", None, 500_000_000),
        ),
        (
            lambda text: text + '1795132800,,,1,usd,"sora-2, output",p\n',
            ("2026-11-20", "sora-2", "output", 10**12, None),
        ),
        (
            lambda text: text + "1795132800,,,2,usd,code interpreter,p\n",
            ("2026-11-20", "code interpreter", "other", 2 * 10**12, None),
        ),
    ],
)
def test_one_changed_row_is_one_line(
    change: Callable[[str], str], line: tuple[object, ...], acme: Organization
) -> None:
    traffic.openai(acme)
    table = compared(acme, change(traffic.OPENAI_COSTS)).tables[Measure.COST]
    differing = [one for one in table.lines if one.difference]
    assert [(one.day.isoformat(), *one[1:]) for one in differing] == [line]
    assert table.total.difference == sum(one.difference for one in differing)


def test_costs_without_models_are_compared_by_day(acme: Organization) -> None:
    traffic.openai(acme)
    text = "start_time,amount_value,amount_currency,line_item\n1795132800,0.00925,USD,\n1795219200,0.00175,usd,\n"
    lines = compared(acme, text).tables[Measure.COST].lines
    assert [(line.model, line.token_class, line.difference) for line in lines] == [("", "", 0)] * 2


def test_other_providers_stay_out(acme: Organization) -> None:
    traffic.openai(acme)
    traffic.anthropic(acme)
    traffic.openai(make.organization("rival"))
    table = compared(acme, traffic.OPENAI_COSTS).tables[Measure.COST]
    assert table.total.difference == 0
    everything = compared(acme, traffic.OPENAI_COSTS, provider="").tables[Measure.COST]
    assert everything.total.difference == -3_625_000_000
    assert Line(everything.lines[0].day, traffic.CLAUDE, "output", None, 10**9) in everything.lines
