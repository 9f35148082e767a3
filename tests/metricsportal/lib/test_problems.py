"""Problem documents are the same everywhere."""

import pytest

from metricsportal.lib import problems


def test_a_document_in_full() -> None:
    document = problems.problem(
        422, "Too much.", instance="/x", request_id="9f2c41", errors=[{"loc": ["a"]}], estimate_rows=7
    )
    assert document == {
        "type": "https://docs.metrics-portal.example/problems/question-too-large",
        "title": "The question is too large",
        "status": 422,
        "detail": "Too much.",
        "instance": "/x",
        "request_id": "9f2c41",
        "errors": [{"loc": ["a"]}],
        "estimate_rows": 7,
    }


def test_kind_and_title_can_be_more_exact() -> None:
    document = problems.problem(400, "No.", instance="/x", request_id="1", kind="invalid-query", title="Not valid")
    assert (document["type"].rpartition("/")[2], document["title"]) == ("invalid-query", "Not valid")
    assert "errors" not in document


@pytest.mark.parametrize("header", [None, "", "a b", "x\r\nSet-Cookie: y", "é", "a" * 65])
def test_an_unsafe_request_id_is_replaced(header: str | None) -> None:
    made = problems.request_id_of(header)
    assert made != header
    assert len(made) == 12


def test_a_safe_request_id_is_kept() -> None:
    assert problems.request_id_of("trace-9f2c41.1") == "trace-9f2c41.1"
