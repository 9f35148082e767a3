"""The pages about ingest and prices list what the code has."""

import re
from pathlib import Path

import pytest

from ingestion.formats import FORMATS
from ingestion.formats.mapping import Reading
from ingestion.models.prices import MatchKind, TokenClass
from ingestion.pricing.arithmetic import FALLBACK
from ingestion.pricing.catalogues import litellm_json, own_csv
from ingestion.records import Code, CostState, Operation, RequestRecord
from tests.ingestion.exports.rows import CSV, SAMPLES, one

PAGES = {"litellm-spend": "litellm"}
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


def test_every_format_of_files_is_listed_with_what_it_reads() -> None:
    rows = table("ingest.md", "Name")
    assert set(rows) == set(FORMATS)
    assert {name for name, row in rows.items() if row[2] == "yes"} == {"csv", *CSV}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_page_of_an_export_names_what_is_read(name: str) -> None:
    page = (DOCS / "connect" / f"{PAGES.get(name, name)}.md").read_text()
    sample = set(SAMPLES[name]())
    record = {field for field in RequestRecord.__struct_fields__ if f"`{field}`" in page}
    assert record >= {"request_id", "started_at", "latency_ms", "model"}
    assert len({column for column in sample if column in page}) >= 10


def test_the_configuration_of_envoys_log_has_the_names_that_are_read() -> None:
    config = (DOCS / "connect" / "envoy.md").read_text().partition("            json:\n")[2].partition("```")[0]
    names = set(re.findall(r"^ +([\w.-]+): \"%", config, re.MULTILINE))
    line = dict.fromkeys(names, "-") | {"start_time": "2026-11-23T09:23:10Z", "gen_ai.request.model": "m"}
    kept = one("envoy", line | {"gen_ai.provider.name": "backend"}, Reading(keep_unknown=True)).metadata
    assert kept == {"gen_ai.provider.name": "backend"}  # every other field is read
    assert names >= {"user", "team", "virtual_account", "gen_ai.usage.cache_read.input_tokens", "duration"}


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
