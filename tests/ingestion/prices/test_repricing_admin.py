"""Repricing in the administration: preview, confirmation, result; each organization by itself."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from ingestion import tasks
from ingestion.models import LLMRequest, RepriceRun
from ingestion.repricing import runs
from ingestion.repricing.runs import State
from ingestion.repricing.windows import PARTS
from teams import doorbell
from teams.models import AuditEntry, Organization, Team, User
from tests import make
from tests.ingestion.prices.repricing import costs, everything

pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/ingestion/repricerun/", "/admin/ingestion/repricerun/add/"
Enter = Callable[[str], Client]


@pytest.fixture
def enter(client: Client, request: pytest.FixtureRequest) -> Enter:
    """Sign in a persona by name."""

    def sign_in(persona: str) -> Client:
        client.force_login(request.getfixturevalue(persona))
        return client

    return sign_in


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Runs for which a worker was asked; the queue itself is not of interest here."""
    asked: list[int] = []

    def ring(task: str, run: int) -> None:
        assert task == tasks.reprice.name
        asked.append(run)

    monkeypatch.setattr(doorbell, "ring_after_commit", ring)
    return asked


@pytest.fixture
def unpriced(acme: Organization, search: Team, rival: Organization) -> None:
    """A request in each organization, and its price, which came later."""
    make.request(acme, request_id="ours", team="Search")
    make.request(rival, request_id="theirs", model="rival-model")
    make.price("gpt-4o", "input", "2.5", organization=acme, effective_from=make.NOW.replace(day=3))
    make.price("gpt-4o", "output", "10", organization=acme, effective_from=make.NOW.replace(day=2))


def sent(organization: Organization, **fields: str) -> dict[str, Any]:
    names = {"model": "", "virtual_model": "", "team": ""}
    return {
        "organization": organization.pk,
        "first": "2026-11-01",
        "last": "2026-11-30",
        "reason": "new contract",
        **names,
        **fields,
    }


def proposed(client: Client, organization: Organization) -> RepriceRun:
    assert client.post(ADD, sent(organization)).status_code == 302
    return RepriceRun.objects.latest("id")


@pytest.mark.usefixtures("unpriced")
@pytest.mark.parametrize("persona", ["owner", "admin", "finance", "superuser"])
def test_from_the_price_book_to_the_result(enter: Enter, persona: str, acme: Organization, rung: list[int]) -> None:
    client = enter(persona)
    assert f'href="{ADD}"' in client.get("/admin/ingestion/priceentry/").content.decode()
    assert client.get(ADD).context["adminform"].form.initial["first"].isoformat() == "2026-11-02"
    run = proposed(client, acme)
    page = f"{LIST}{run.pk}/change/"
    assert (run.state, rung) == (State.PREVIEWING, [run.pk])
    waiting = client.get(page)
    assert (waiting["Refresh"], "Apply to" in waiting.content.decode()) == ("3", False)

    before = costs(acme)
    assert tasks.reprice(run.pk) == PARTS[connection.vendor]
    preview = client.get(page)
    assert "Refresh" not in preview
    text = preview.content.decode()
    assert all(word in text for word in ("Apply to 1 requests", "gpt-4o (openai)", "Search", "$0.0035", "new contract"))
    assert costs(acme) == before

    assert client.post(f"{LIST}{run.pk}/apply/").status_code == 302
    assert client.post(f"{LIST}{run.pk}/apply/").status_code == 302  # twice: it says so, and nothing happens twice
    assert rung == [run.pk, run.pk]
    assert [tasks.reprice(run.pk), tasks.reprice(run.pk)] == [PARTS[connection.vendor], 0]
    run.refresh_from_db()
    assert (run.state, run.requested_by) == (State.APPLIED, User.objects.get(pk=client.session["_auth_user_id"]))
    assert costs(acme)["ours"][0] == "computed"
    assert "Result" in client.get(page).content.decode()
    assert "1 of 1 requests" in client.get(LIST).content.decode()
    entries = AuditEntry.objects.filter(organization=acme)
    assert [(one.action, one.actor, one.details["reason"]) for one in entries] == [
        ("requests.reprice", run.requested_by, "new contract")
    ]


@pytest.mark.usefixtures("unpriced")
def test_a_preview_is_not_applied_with_other_prices(enter: Enter, acme: Organization) -> None:
    client = enter("finance")
    run = proposed(client, acme)
    tasks.reprice(run.pk)
    make.price("gpt-4o", "input", "3", organization=acme)
    answer = client.post(f"{LIST}{run.pk}/apply/", follow=True)
    assert "Prices were added since" in answer.content.decode()
    run.refresh_from_db()
    assert run.state == State.PREVIEWED


@pytest.mark.usefixtures("unpriced")
def test_a_preview_that_is_not_finished_is_not_applied(enter: Enter, acme: Organization) -> None:
    client = enter("finance")
    run = proposed(client, acme)
    client.post(f"{LIST}{run.pk}/apply/")
    run.refresh_from_db()
    assert run.state == State.PREVIEWING


@pytest.mark.usefixtures("unpriced")
def test_a_glance_applies_nothing(enter: Enter, acme: Organization) -> None:
    client = enter("finance")
    run = proposed(client, acme)
    tasks.reprice(run.pk)
    assert client.get(f"{LIST}{run.pk}/apply/").status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.get(email="finance@acme.example"))
    assert careful.post(f"{LIST}{run.pk}/apply/").status_code == 403
    run.refresh_from_db()
    assert run.state == State.PREVIEWED


@pytest.mark.usefixtures("unpriced")
@pytest.mark.parametrize("persona", ["owner", "finance"])
def test_another_organization_is_out_of_reach(
    enter: Enter, persona: str, rival: Organization, outsider: User, rung: list[int]
) -> None:
    client = enter(persona)
    theirs = runs.propose(actor=outsider, selection=everything(rival), reason="rival reason")
    tasks.reprice(theirs.pk)
    answer = client.post(ADD, sent(rival))
    assert "organization" in answer.context["adminform"].form.errors
    assert "rival" not in answer.content.decode().lower()
    for name in ("rival-model", "gpt-4o"):
        assert "__all__" not in client.post(ADD, sent(rival, model=name)).context["adminform"].form.errors
    assert "rival" not in client.get(LIST).content.decode().lower()
    absent = client.get(f"{LIST}987654/change/").status_code
    assert client.get(f"{LIST}{theirs.pk}/change/").status_code == absent == 302
    assert client.post(f"{LIST}{theirs.pk}/apply/").status_code == 404
    assert client.post(f"{LIST}987654/apply/").status_code == 404
    theirs.refresh_from_db()
    assert (theirs.state, RepriceRun.objects.count(), rung) == (State.PREVIEWED, 1, [])


@pytest.mark.usefixtures("unpriced")
@pytest.mark.parametrize("persona", ["member", "manager", "viewer", "nobody"])
def test_those_who_manage_no_prices_stay_outside(
    enter: Enter, persona: str, acme: Organization, finance: User, rung: list[int]
) -> None:
    run = runs.propose(actor=finance, selection=everything(acme), reason="")
    tasks.reprice(run.pk)
    client = enter(persona)
    for page in (LIST, ADD, f"{LIST}{run.pk}/change/"):
        assert client.get(page).status_code in (302, 403)
    assert client.post(ADD, sent(acme)).status_code in (302, 403)
    assert client.post(f"{LIST}{run.pk}/apply/").status_code in (302, 403, 404)
    run.refresh_from_db()
    assert (run.state, RepriceRun.objects.count(), rung) == (State.PREVIEWED, 1, [])


@pytest.mark.usefixtures("unpriced")
@pytest.mark.parametrize(
    "fields",
    [
        {"model": "rival-model"},
        {"model": "gpt-4o\0"},
        {"model": "x" * 257},
        {"team": "<script>alert(1)</script>"},
        {"first": "2026-12-01", "last": "2026-11-01"},
        {"first": "0001-01-01"},
        {"last": "9999-12-31"},
        {"first": "soon"},
        {"reason": ""},
        {"reason": "x" * 301},
        {"organization": "0"},
        {"organization": ""},
    ],
)
def test_what_cannot_be_chosen_is_refused(enter: Enter, acme: Organization, fields: dict[str, str]) -> None:
    answer = enter("finance").post(ADD, sent(acme) | fields)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert b"<script>alert" not in answer.content
    assert not RepriceRun.objects.exists()


@pytest.mark.usefixtures("unpriced")
def test_names_and_reasons_are_text(enter: Enter, acme: Organization) -> None:
    hostile = "<script>alert(1)</script>"
    make.request(acme, model=hostile, team=hostile)
    client = enter("finance")
    client.post(ADD, sent(acme, model=hostile, team=hostile, reason=hostile))
    run = RepriceRun.objects.get()
    tasks.reprice(run.pk)
    for page in (LIST, f"{LIST}{run.pk}/change/", ADD):
        body = client.get(page).content.decode()
        assert hostile not in body
        assert re.findall(r"<style|<script>|\sstyle=|\son\w+=|javascript:", body) == [], page


@pytest.mark.usefixtures("unpriced")
@pytest.mark.parametrize("persona", ["finance", "superuser"])
def test_past_runs_are_looked_at_only(enter: Enter, persona: str, acme: Organization, finance: User) -> None:
    run = runs.propose(actor=finance, selection=everything(acme), reason="why")
    client = enter(persona)
    assert client.post(f"{LIST}{run.pk}/change/", sent(acme, reason="other")).status_code == 403
    assert client.post(f"{LIST}{run.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": run.pk, "post": "yes"})
    run.refresh_from_db()
    assert run.reason == "why"


@pytest.mark.usefixtures("unpriced")
def test_the_clock_goes_on_with_what_nobody_works_on(acme: Organization, finance: User) -> None:
    run = runs.propose(actor=finance, selection=everything(acme), reason="")
    assert tasks.continue_repricing() == 0
    RepriceRun.objects.filter(pk=run.pk).update(updated_at=timezone.now() - runs.STALLED * 2)
    assert tasks.continue_repricing() == PARTS[connection.vendor]
    run.refresh_from_db()
    assert run.state == State.PREVIEWED
    assert LLMRequest.objects.filter(cost_state="computed").count() == 0


def test_a_run_that_is_not_there_is_no_work() -> None:
    assert tasks.reprice(987_654) == 0
