"""Whose rows may be seen: drawn around work, opened by rights that are found, forgotten at the end of a request."""

from collections.abc import Iterator
from threading import Thread

import pytest

from metricsportal.lib import border
from metricsportal.lib.border import EVERYTHING, NOTHING, Border


@pytest.fixture(autouse=True)
def _closed_process() -> Iterator[None]:
    outside = border._current.set(None)  # what tests before this one were admitted to
    opened = border.current() == EVERYTHING
    border.close_process()
    yield
    border._current.reset(outside)
    if opened:
        border.open_process("as it was before")


def test_nothing_is_seen_before_a_border_is_drawn() -> None:
    assert border.current() == NOTHING
    with border.within(1):
        assert border.current() == Border(frozenset({1}))
        with border.everything("a reason"):
            assert border.current() == EVERYTHING
        with border.within(2):  # what is drawn counts, not what is around it
            assert border.current() == Border(frozenset({2}))
        assert border.current() == Border(frozenset({1}))
    assert border.current() == NOTHING


def test_rights_add_up_within_a_request_and_end_with_it() -> None:
    with border.request():
        border.admit(1)
        border.admit(2, 3)
        assert border.current() == Border(frozenset({1, 2, 3}))
    assert border.current() == NOTHING
    with border.request():
        border.admit_everything("an operator")
        border.admit(1)
        assert border.current() == EVERYTHING
    assert border.current() == NOTHING


def test_what_fails_leaves_nothing_behind() -> None:
    def fail() -> None:
        with border.request():
            border.admit(1)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert border.current() == NOTHING


def test_an_open_process_is_open_in_all_its_threads_and_a_request_of_it_is_not() -> None:
    seen: list[Border] = []
    thread = Thread(target=lambda: seen.append(border.current()))
    border.open_process("a worker")
    thread.start()
    thread.join()
    assert seen == [EVERYTHING]
    with border.request():
        assert border.current() == NOTHING


def test_an_answer_that_streams_is_made_inside_its_requests_border() -> None:
    def pieces() -> Iterator[Border]:
        yield border.current()
        yield border.current()

    with border.request():
        border.admit(1)
        answer = border.kept(pieces())
    with border.request():
        border.admit(2)
        assert next(answer) == Border(frozenset({1}))
        assert border.current() == Border(frozenset({2}))  # of who reads, between the pieces
        assert list(answer) == [Border(frozenset({1}))]
