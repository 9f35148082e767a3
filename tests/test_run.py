"""What `make test` leaves out, and what it says at its end."""

import re
from pathlib import Path

from tests import once, run

TESTS = Path(__file__).parent
REPORT = """<testsuites><testsuite tests="4" failures="1" errors="1" skipped="1">
<testcase classname="tests.a.test_quick" name="one" time="0.4"/>
<testcase classname="tests.a.test_long" name="two" time="3.5"/>
<testcase classname="tests.a.test_long" name="three[x]" time="2.0"/>
</testsuite></testsuites>"""


def test_what_runs_once_has_a_module_beside_it_that_runs_on_both() -> None:
    assert [path for path in (*once.MODULES, *once.MODULES.values()) if not (TESTS / path).is_file()] == []
    beside = {*once.MODULES.values()}
    assert beside.isdisjoint(once.MODULES)
    marked = re.compile(r"^pytestmark = .*mark\.once", re.MULTILINE)
    assert [path for path in beside if marked.search((TESTS / path).read_text())] == []


def test_only_the_run_on_servers_leaves_it_out() -> None:
    left_out = {one.name: "not once" in one.arguments[-1] for one in run.shares([], slow=False)}
    assert left_out == {"SQLite": False, "PostgreSQL": True, "Browser": False}
    assert not any("not once" in word for one in run.shares([], slow=True) for word in one.arguments)


def test_the_summary_counts_and_names_the_longest(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert run.counts_of(report) == "1 passed, 2 failed, 1 skipped"
    seconds = run.seconds_of(report)
    assert seconds == {"tests.a.test_quick": 0.4, "tests.a.test_long": 5.5}
    many = {f"tests.b.test_{number}": float(number) for number in range(1, 12)}
    said = run.longest([("SQLite", seconds), ("PostgreSQL", many)])
    assert said[:3] == [
        "Longest modules:",
        "     11 s  tests.b.test_11 (PostgreSQL)",
        "     10 s  tests.b.test_10 (PostgreSQL)",
    ]
    assert "      6 s  tests.a.test_long (SQLite)" in said
    assert len(said) == 1 + run.SHOWN


def test_a_run_that_wrote_no_report_has_failed_and_taken_no_time(tmp_path: Path) -> None:
    assert run.counts_of(tmp_path / "absent.xml") == "0 passed, 1 failed"
    assert run.seconds_of(tmp_path / "absent.xml") == {}
