"""Every parameter of the address with a value that is none: named, replaced by the default, never an error."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from teams.models import Organization, User

LONG = "\u202e<script>alert(1)</script>\U0001f98a" * 500
WRONG: dict[str, tuple[str, ...]] = {
    "from": ("yesterdayish", "2026-13-40T00:00:00Z", "now+1y", ""),
    "to": ("later", "now-7d", "0001-01-01T00:00:00Z"),
    "tz": ("Mars/Olympus", ""),
    "by": ("color", "metadata", "MODEL", ""),
    "f": ("model", "color:eq:red", "latency_ms:gt:fast", "model:like:x", ":::", ""),
    "p": ("42", "p99", "-1", "99.0", ""),
    "p_latency": ("42",),
    "p_ttft": ("42",),
    "p_itl": ("42",),
    "p_tpot": ("42",),
    "pop": ("everyone",),
    "top": ("6", "eleven", "-5", "9" * 5000),
    "interval": ("1 second", "0", "1h1h"),
    "compare": ("yesterday",),
    "failures": ("color",),
    "codes": ("color",),
    "notes": ("maybe",),
    "stack": ("latency",),
    "area": ("latency",),
    "view": ("x", "999999999999", "-1"),
}


@pytest.fixture
def read(acme: Organization, owner: User, client: Client) -> Any:
    """The state of the page for an address, its messages and its text."""
    client.force_login(owner)

    def page(*pairs: tuple[str, str]) -> tuple[dict[str, Any], list[str], str]:
        response = client.get(f"/o/acme/?{urlencode(pairs)}")
        text = response.content.decode()
        assert response.status_code == 200
        data = json.loads(text.split('<script id="dashboard-data" type="application/json">')[1].split("</script>")[0])
        return data["state"] | {"label": data["range"]["label"]}, data["messages"], text

    return page


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named_and_the_default_is_shown(read: Any, name: str) -> None:
    plain, messages, _ = read()
    assert messages == []
    for value in (*WRONG[name], LONG):
        state, messages, text = read((name, value))
        assert len(messages) == 1, (name, value)
        assert state == plain, (name, value)
        assert "<script>alert" not in text
        assert len(messages[0]) < 400


def test_everything_wrong_at_once_is_named_one_by_one(read: Any) -> None:
    plain, _, _ = read()
    state, messages, _ = read(*((name, values[0]) for name, values in WRONG.items()))
    # A range has two borders and one message; where the view has one more, it is the last.
    assert state == plain
    assert len(messages) >= len(WRONG) - 1


def test_what_is_no_parameter_is_ignored(read: Any) -> None:
    plain, _, _ = read()
    state, messages, _ = read(("utm_source", "x"), ("iso", LONG), ("page", "no"), ("sort", LONG), ("x" * 500, "\0"))
    assert messages == []
    assert state == plain
