"""The page on which a month is approved and closed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
import time_machine
from django.test import Client

from analytics.models import Statement
from teams.models import User
from tests import pages
from tests.analytics.statements import HOSTILE, LIST, enter
from tests.analytics.world import World

PAGE: Final = f"{LIST}months/2026-11/"
CLOSE: Final = f"{PAGE}close"


@pytest.fixture
def _grace() -> Iterator[None]:
    """November is over, and nobody has closed it."""
    with time_machine.travel(datetime(2026, 12, 2, 12, tzinfo=UTC), tick=False):
        yield


pytestmark = pytest.mark.usefixtures("_grace", "world")


@pytest.mark.parametrize(
    ("persona", "status"),
    [
        ("owner", 200),
        ("admin", 200),
        ("finance", 200),
        ("manager", 403),
        ("viewer", 403),
        ("member", 403),
        ("outsider", 404),
        ("nobody", 404),
    ],
)
def test_who_may_review_and_close(persona: str, status: int, client: Client, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(persona))
    assert client.get(PAGE).status_code == status
    closed = client.post(CLOSE, {"unpriced_too": "on"})
    assert closed.status_code == (302 if status == 200 else status)
    assert Statement.objects.exists() == (status == 200)


def test_the_month_is_closed_with_one_click_and_then_says_that_it_adds_up(client: Client, finance: User) -> None:
    before = enter(client, finance, PAGE)
    assert [row[0] for row in pages.rows(before)] == ["Team", "Ads", "Search", "Unassigned", "Total"]
    assert int(pages.rows(before)[-1][1]) == sum(int(row[1]) for row in pages.rows(before)[1:-1]) > 0
    assert "Approve and close" in before
    assert HOSTILE not in before
    refused = client.post(CLOSE)
    assert refused.status_code == 400
    assert "1 request of November 2026 has no price" in refused.content.decode()
    assert not Statement.objects.exists()
    client.post(CLOSE, {"unpriced_too": "on"})
    after = enter(client, finance, PAGE)
    assert "Approve and close" not in after
    assert "Statements and corrections equal the stored requests, to the picodollar." in after
    for row in pages.rows(before)[1:-1]:
        assert row[:7] in [shown[:7] for shown in pages.rows(after)]
    again = client.post(CLOSE, {"unpriced_too": "on"})
    assert again.status_code == 400
    assert "closed already" in again.content.decode()


def test_months_that_cannot_be_reviewed_are_not_there(client: Client, finance: User, world: World) -> None:
    client.force_login(finance)
    for month in ("2027-05", "2026-13", "november", "2026-11-01", "%3Cb%3E"):
        assert client.get(f"{LIST}months/{month}/").status_code == 404, month
    assert client.get("/o/rival/statements/months/2026-11/").status_code == 404
    for month, says in (("2027-05", "has not begun"), ("2026-12", "is still running")):
        refused = client.post(f"{LIST}months/{month}/close", {"unpriced_too": "on"})
        assert (refused.status_code, says in refused.content.decode()) == (400, True)


def test_only_those_who_close_are_led_to_the_month(client: Client, finance: User, viewer: User) -> None:
    assert f'href="{PAGE}"' in enter(client, finance)
    assert f'href="{PAGE}"' not in enter(client, viewer)
