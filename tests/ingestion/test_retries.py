"""Which errors are tried again."""

from collections.abc import Callable, Iterator

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from ingestion.writer.retries import TRIES, UnavailableError, with_retries

pytestmark = pytest.mark.django_db


class DriverError(Exception):
    """What a driver raises, with its SQLSTATE."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def failing(*errors: Exception) -> tuple[Callable[[], str], list[int]]:
    """A transaction that fails with each of the errors, then works; and the number of its runs."""
    waiting: Iterator[Exception] = iter(errors)
    runs: list[int] = []

    def run() -> str:
        runs.append(1)
        for error in waiting:
            raise error
        return "stored"

    return run, runs


def of_state(sqlstate: str) -> OperationalError:
    error = OperationalError(sqlstate)
    error.__cause__ = DriverError(sqlstate)
    return error


@pytest.mark.parametrize("error", [of_state("40P01"), of_state("40001"), IntegrityError("a name was deleted")])
def test_victims_of_others_are_repeated(error: Exception) -> None:
    run, runs = failing(error, error)
    pauses: list[int] = []
    assert with_retries(run, pause=lambda: pauses.append(1)) == "stored"
    assert (len(runs), len(pauses)) == (3, 2)


def test_not_for_ever() -> None:
    run, runs = failing(*[of_state("40P01")] * TRIES)
    with pytest.raises(UnavailableError):
        with_retries(run, pause=lambda: None)
    assert len(runs) == TRIES


@pytest.mark.parametrize("error", [of_state("53100"), of_state("57P01"), InterfaceError("closed"), OperationalError()])
def test_a_lost_connection_is_left_to_the_sender(error: Exception) -> None:
    run, runs = failing(error)
    with pytest.raises(UnavailableError):
        with_retries(run)
    assert len(runs) == 1


@pytest.mark.parametrize("errors", [[DataError()], [IntegrityError()] * TRIES])
def test_errors_of_ours_stay_errors(errors: list[Exception]) -> None:
    run, _ = failing(*errors)
    with pytest.raises(type(errors[0])):
        with_retries(run, pause=lambda: None)
