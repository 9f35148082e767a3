"""Whoever changes a budget has its row for themselves, from the look at it to the commit."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.db import connection
from django.db.models import Model

from analytics.budgets import writing
from analytics.models import Budget
from teams.access import scope_of_user
from teams.models import Organization
from tests.budgets.scene import budget, change, is_locked, look, somebody, spend


def new_secret(made: Budget) -> None:
    actor = somebody(made.organization)
    scope = scope_of_user(actor, made.organization)
    assert scope is not None
    writing.new_secret(scope=scope, actor=actor, budget=made)


# What is done, what it calls between its look and its writing, and whose row is locked then.
ACTS: Final[dict[str, tuple[Callable[[Budget], object], str, type[Model]]]] = {
    "change": (lambda made: change(made, name="Another name"), "analytics.budgets.writing.changed", Budget),
    "new secret": (new_secret, "analytics.budgets.writing._salt", Budget),
    "alert": (lambda made: look(), "analytics.budgets.alerts.limit_of", Budget),
    "second of a name": (
        lambda made: budget(made.organization, "2"),
        "analytics.budgets.writing._check_name",
        Organization,
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ACTS)
def test_the_row_is_locked(acme: Organization, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    made = budget(acme, "1", webhook="https://hooks.example.com/a")
    spend(acme, "2")
    act, between, model = ACTS[name]
    module, _, function = between.rpartition(".")
    real, locked = getattr(__import__(module, fromlist=[function]), function), []

    def asking(*arguments: Any, **more: Any) -> Any:
        if connection.in_atomic_block:
            locked.append(is_locked(model, acme.pk if model is Organization else made.pk))
        return real(*arguments, **more)

    monkeypatch.setattr(between, asking)
    act(made)
    assert locked == [True] * len(locked)
    assert locked
