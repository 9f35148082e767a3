"""The same address as one, then as another, then as nobody, with warm caches (A6); headers of every kind of answer."""

from typing import Final

import pytest

from analytics.query.blocks import MEMORY
from tests.access import places
from tests.access.rules import expectations
from tests.access.visitors import Visitors, leaks

pytestmark = pytest.mark.django_db
ORDERS: Final = (
    ("owner", "outsider", "viewer", "anonymous"),
    ("outsider", "other_team", "owner", "member"),
    ("read_key", "rival_key", "team_key", "demoted_key", "expired_key"),
)


def addresses() -> list[tuple[str, str]]:
    """Everything that answers with numbers, asked for all that there is."""
    found = []
    for address, queries in places.ASKED.items():
        assert "GET" in expectations()[address]
        found += [(address, query) for query in queries]
    return found


@pytest.mark.parametrize("order", ORDERS)
def test_nobody_gets_what_was_made_for_another(visitors: Visitors, order: tuple[str, ...]) -> None:
    MEMORY._blocks.clear()
    for address, query in addresses():
        path = f"{places.path_of(address, visitors.world.sides['own'])}?{query}"
        cold = {}
        for actor in order:
            answer = visitors.ask(actor, "GET", path)
            cold[actor] = answer.body
            assert leaks(actor, path, answer.said) == [], (address, actor)
            assert "'Cache-Control': '" in answer.headers
            assert "no-store" in answer.headers
            assert "private" in answer.headers
            assert "Cookie" in answer.headers
            assert "Authorization" in answer.headers
        if "report" in address:
            warm = visitors.ask(order[0], "GET", path)
            assert warm.body == cold[order[0]], address


ANSWERS: Final = (
    ("owner", "GET", "/o/acme/?by=team", 200),
    ("anonymous", "GET", "/o/acme/", 302),
    ("viewer", "GET", "/o/acme/settings/keys", 403),
    ("outsider", "GET", "/o/acme/", 404),
    ("owner", "PATCH", "/o/acme/", 405),
    ("anonymous", "GET", "/api/v1/report", 401),
    ("owner", "GET", "/api/v1/report?start=never", 400),
    ("owner", "GET", "/api/v1/nowhere", 404),
    ("ingest_key", "GET", "/api/v1/report", 403),
    ("anonymous", "POST", "/api/v1/requests", 401),
    ("superuser", "GET", "/admin/teams/team/", 200),
    ("anonymous", "GET", "/metrics", 200),
)


@pytest.mark.parametrize(("who", "method", "path", "status"), ANSWERS)
def test_every_kind_of_answer_is_strict(visitors: Visitors, who: str, method: str, path: str, status: int) -> None:
    answer = visitors.ask(who, method, path)
    assert answer.status == status
    for header in (
        "'X-Content-Type-Options': 'nosniff'",
        "'X-Frame-Options': 'DENY'",
        "'Referrer-Policy': 'same-origin'",
        "'Cross-Origin-Opener-Policy': 'same-origin'",
        "'Cross-Origin-Resource-Policy': 'same-origin'",
        "default-src 'none'",
        "no-store",
    ):
        assert header in answer.headers, header


def test_an_error_of_ours_is_strict_too_and_says_nothing(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **more: object) -> None:
        raise RuntimeError("canary-of-the-inside")

    monkeypatch.setattr("analytics.views.dashboard.build", broken)
    monkeypatch.setattr("analytics.api.report.report_response", broken)
    for path in ("/o/acme/?by=team", f"/api/v1/report?{places.ASKED['api/v1/report'][0]}"):
        answer = visitors.ask("owner", "GET", path)
        assert answer.status == 500
        assert "canary-of-the-inside" not in answer.said
        assert "default-src 'none'" in answer.headers
        assert "no-store" in answer.headers
