"""The definitions and the API's page name everything that the catalogue and the code have, and nothing else."""

import ast
import re
from pathlib import Path

from analytics.api import urls
from analytics.catalog.dimensions import DIMENSIONS
from analytics.catalog.measures import MEASURES, NATIVE
from analytics.query.parsing import LONG_OPERATORS
from ingestion.records import CostState, FailureClass
from metricsportal.lib.problems import KINDS

ROOT = Path(__file__).resolve().parents[2]
DEFINITIONS = (ROOT / "docs/definitions.md").read_text()
API = (ROOT / "docs/api.md").read_text()


def table(page: str, heading: str) -> list[list[str]]:
    """Cells of the table whose first heading is that, without back quotes."""
    lines = page[page.index(f"| {heading} |") :].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def codes() -> set[str]:
    """The codes of problems in the code: second arguments of the calls that note or raise one."""
    found = set()
    for path in (*(ROOT / "analytics/api").rglob("*.py"), ROOT / "analytics/query/parsing.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    words = re.compile(r"(unknown|invalid|operator|aggregation|out|not|no|malformed)_[a-z_]+|repeated|required")
    return {text for text in found if words.fullmatch(text)}


def test_every_measure_is_defined_with_its_names() -> None:
    rows = table(DEFINITIONS, "Measure")
    assert [row[:2] for row in rows] == [[measure.name, measure.api_name] for measure in MEASURES]
    assert all(len(row) == 5 and all(row) for row in rows)


def test_every_dimension_is_defined_with_its_names() -> None:
    rows = table(DEFINITIONS, "Dimension")
    assert [row[:2] for row in rows] == [[dimension.name, dimension.api_name] for dimension in DIMENSIONS]
    assert all(len(row) == 3 and all(row) for row in rows)
    only_filters = {row[0] for row in rows if row[2].startswith("filters only")}
    assert only_filters == {dimension.name for dimension in DIMENSIONS if not dimension.groupable}


def test_closed_lists_are_complete() -> None:
    assert [row[0] for row in table(DEFINITIONS, "Class")] == [kind.value for kind in FailureClass]
    assert [row[0] for row in table(DEFINITIONS, "State")] == [state.value for state in CostState]


def test_every_column_of_the_query_is_listed_with_its_types() -> None:
    rows = {row[0]: row[1].split() for row in table(API, "Column")}
    assert rows == {measure.api_name: list(measure.aggregations) for measure in MEASURES}


def test_every_column_of_the_report_is_listed() -> None:
    listed = [name for row in table(API, "Measures") for name in row[1].replace("`", "").split()]
    assert {*listed} == {*NATIVE}
    assert len(listed) == len(NATIVE)


def test_every_operator_is_listed() -> None:
    assert {name for row in table(API, "Operators") for name in row[0].split()} == {*LONG_OPERATORS}
    short = {
        name for row in table(API, "Operator") for cell in (row[0], row[3]) for name in re.findall(r"[a-z]+", cell)
    }
    assert short == {operator.value for operator in LONG_OPERATORS.values()}


def test_every_endpoint_is_listed() -> None:
    paths = {re.sub(r"<\w+:(\w+)>", r"{\1}", str(one.pattern)) for one in urls.urlpatterns}
    listed = {row[0].split()[1].removeprefix("/") for row in table(API, "Endpoint")}
    own = {path for path in paths if not path.startswith("^")}
    assert own <= listed
    of_ingestion = {"api/v1/ingest/litellm", "api/v1/ingest/envoy", "v1/traces", "api/public/ingestion"}
    assert listed - own == of_ingestion


def test_every_status_and_code_is_listed() -> None:
    # 422 is of two kinds: too much to read, or removed.
    kinds = {(status, kind) for status, (kind, _) in KINDS.items()} | {(422, "not-kept")}
    assert {(int(row[0]), row[1].split("`, `")[-1]) for row in table(API, "Status")} == kinds
    listed = [row[0] for row in table(API, "Code")]
    assert listed == sorted(listed)
    assert {*listed} == codes()
