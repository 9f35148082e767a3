"""The form of a budget: what it offers, and what was typed as the fields of a budget."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from analytics.budgets.content import CHANGEABLE
from analytics.budgets.page import row
from analytics.budgets.reading import own_teams
from analytics.budgets.subjects import KINDS, label
from analytics.catalog.dimensions import METADATA_PREFIX
from analytics.models import Budget
from analytics.query.keys import visible_keys
from teams.access import Scope
from teams.roles import Capability

_NAMES: Final = ("name", "team", "dimension", "value", "unit", "every", "amount", "webhook")
_SEPARATORS: Final = re.compile(r"[\s,;]+")


def offered(scope: Scope) -> dict[str, Any]:
    """The choices of this person."""
    keys = [METADATA_PREFIX + one.name for one in visible_keys(scope)]
    return {
        "whole": scope.allows(Capability.MANAGE_CHARGEBACK),
        "teams": [team.name for team in own_teams(scope)],
        "dimensions": [{"name": one, "label": label(one).capitalize()} for one in (*KINDS, *keys)],
        "units": Budget.Unit.choices,
        "every": Budget.Every.choices,
    }


def may_add(scope: Scope) -> bool:
    """Whether there is anything the person may make a budget of."""
    return scope.allows(Capability.MANAGE_CHARGEBACK) or bool(own_teams(scope))


def blank(email: str) -> dict[str, Any]:
    """What a new form holds."""
    return {"unit": "usd", "every": "month", "thresholds": "50, 80, 100", "forecast": True, "recipients": email}


def typed_of(budget: Budget) -> dict[str, Any]:
    """A budget as its form holds it."""
    return {
        "name": budget.name,
        "amount": f"{budget.amount:f}".removesuffix(".00"),
        "thresholds": ", ".join(map(str, budget.thresholds)),
        "forecast": budget.forecast,
        "recipients": "\n".join(budget.recipients),
        "webhook": budget.webhook,
    }


def typed(sent: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, to show again."""
    names = (*_NAMES, "thresholds", "recipients")
    return {name: sent.get(name, "") for name in names} | {"forecast": sent.get("forecast") == "on"}


def parsed(form: Mapping[str, Any], *, new: bool) -> dict[str, object]:
    """The fields of what was typed; what is no number stays a text, to be refused by name."""
    fields: dict[str, object] = {name: form.get(name) or None for name in _NAMES if new or name in CHANGEABLE}
    fields["webhook"] = form.get("webhook", "")
    fields["thresholds"] = [_whole(one) for one in _split(form["thresholds"].replace("%", " "))]
    fields["recipients"] = _split(form["recipients"])
    fields["forecast"] = form["forecast"]
    return fields


def _split(text: str) -> list[str]:
    return [one for one in _SEPARATORS.split(text) if one]


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def preview(budget: Budget, scope: Scope, now: datetime) -> dict[str, Any]:
    """Where the budget that is being typed would stand, and when it would tell whom."""
    return row(budget, scope, now) | {"thresholds": budget.thresholds, "tells_forecast": budget.forecast}
