"""The pages about ingest and prices list what the code has."""

import re
from pathlib import Path

from ingestion.models.prices import MatchKind, TokenClass
from ingestion.pricing.arithmetic import FALLBACK
from ingestion.pricing.catalogues import litellm_json, own_csv
from ingestion.records import Code, CostState, Operation, RequestRecord

DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(page: str, heading: str) -> dict[str, list[str]]:
    """The rows of the table with that first heading: code in the first cells -> the other cells."""
    text = (DOCS / page).read_text().partition(f"| {heading} |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines()[2:]]
    return {name: row[1:] for row in rows for name in re.findall(r"`([^`]+)`", row[0])}


def test_every_rejection_code_is_explained() -> None:
    assert set(table("ingest.md", "Code")) == {code.value for code in Code}


def test_every_field_is_explained() -> None:
    assert set(table("ingest.md", "Field")) == {*RequestRecord.__struct_fields__, "usage"}


def test_every_operation_is_named() -> None:
    assert set(re.findall(r"`(\w+)`", table("ingest.md", "Field")["operation"][1])) == {one.value for one in Operation}


def test_every_class_has_its_fallback() -> None:
    rows = table("pricing.md", "Class")
    assert set(rows) == set(TokenClass.values)
    assert {
        name: row[1].removeprefix("as `").rstrip("` |") for name, row in rows.items() if "as `" in row[1]
    } == FALLBACK


def test_every_cost_state_is_explained() -> None:
    assert set(table("pricing.md", "State")) == {state.value for state in CostState}


def test_every_field_of_litellm_is_named() -> None:
    text = (DOCS / "pricing.md").read_text()
    long_cache = "cache_creation_input_token_cost_above_1hr"
    assert all(f"`{field}`" in text for field in {*litellm_json.CLASSES, *litellm_json.TIERS} - {long_cache})


def test_every_column_of_the_csv_of_prices_is_named() -> None:
    columns = (DOCS / "pricing.md").read_text().partition("**The CSV**")[2].partition("needed")[0]
    assert [name for name in re.findall(r"`(\w+)`", columns) if name not in MatchKind.values] == list(own_csv.COLUMNS)
