"""axe finds nothing in the administration: every page of its routes that needs no more than a row."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from analytics.chargeback import months
from analytics.chargeback.closing import close
from analytics.chargeback.sharing import acts
from analytics.chargeback.sharing.acts import Wanted
from analytics.models import ExchangeRate, Notice, WebhookCall
from ingestion import rules
from ingestion.models import CostPolicy, ModelAlias
from ingestion.repricing import runs
from ingestion.repricing.selection import Selection
from teams.models import Organization, ReportRecipient, Team, User
from tests import make
from tests.browser import axe, traffic
from tests.browser.conftest import Audit
from tests.budgets import scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Pages of a table: their names end with these.
OF_TABLES = ("changelist", "add")
OF_ROWS = ("change", "delete", "history", "password_change")
# Data, files, or what a page of another name leads to.
NO_PAGES = {"login", "logout", "autocomplete", "jsi18n", "view_on_site", "app_list"} | {
    f"ingestion_{name}" for name in ("priceentry_bill", "priceentry_template", "repricerun_apply")
}
# The first column of Django's tables of related rows holds what names the row, and has no head; no block replaces it.
HEADLESS = ".inline-group th:empty"
MODEL_OF_THE_BOOK = "?provider=openai&model=gpt-5"


@pytest.fixture
def rows(acme: Organization, search: Team, owner: User) -> None:
    """At least one row in every table that the administration shows."""
    traffic.store(acme)
    now = datetime.now(UTC)
    last = months.preceding(months.month_of(now, acme))
    ReportRecipient.objects.create(team=search, email="head@search.acme.example")
    make.request(acme, now=now, team="Search", started_at=months.borders(acme, last).start + timedelta(days=3))
    make.price("gpt-5", "input", "1.25", source="catalogue:litellm@1")
    make.adjustment(acme, "discount", "10")
    ModelAlias.objects.create(organization=acme, model_match="gpt", model="gpt-5", created_by=owner)
    CostPolicy.objects.create(organization=acme, effective_from=make.LONG_AGO, created_by=owner)
    ExchangeRate.objects.create(
        organization=acme, currency="EUR", rate=Decimal("0.92"), effective_from=make.LONG_AGO, created_by=owner
    )
    make.key(acme, owner=owner)
    rules.add_rule(actor=owner, organization=acme, attribute="x.team", target="team")
    selection = Selection(organization=acme, period=months.borders(acme, months.month_of(now, acme)))
    runs.propose(actor=owner, selection=selection, reason="for the test")
    close(organization=acme, month=last, now=now)
    acts.add(actor=owner, organization=acme, wanted=Wanted("", "even", months.month_of(now, acme)), now=now)
    budget = scene.budget(acme, "20", now=now)
    notice = Notice.objects.create(
        organization=acme, budget=budget, starts_on=now.date(), threshold=50, at=now, document={}
    )
    WebhookCall.objects.create(notice=notice, key=uuid4())


def named(patterns: list[Any]) -> Iterator[str]:
    """Names of routes, those of tables included."""
    for one in patterns:
        yield from named(getattr(one, "url_patterns", []))
        if getattr(one, "name", None):
            yield str(one.name)


def row_of(name: str) -> Model:
    """Any row of the table that the name of a route begins with."""
    if name == "auth_user_password_change":
        return User.objects.latest("pk")
    app, table, _ = name.split("_", 2)
    (model,) = (one for one in admin.site._registry if (one._meta.app_label, one._meta.model_name) == (app, table))
    found = model._default_manager.first()
    assert found is not None, f"no row in {table}"
    return found


def address_of(name: str) -> str:
    if name.endswith(OF_ROWS) and "_" in name.removesuffix("password_change"):
        return reverse(f"admin:{name}", args=[row_of(name).pk])
    return reverse(f"admin:{name}") + (MODEL_OF_THE_BOOK if name.endswith(("_price", "_model")) else "")


def looked_at(page: Page, server: str, name: str, audit: Audit) -> bool:
    """Whether the address is a page; those of acts that are not allowed answer 403."""
    answer = page.goto(server + address_of(name))
    assert answer is not None
    if answer.status == 200:
        page.evaluate("new Promise((done) => (window.django?.jQuery ?? window.setTimeout)(done))")
        audit(page, name, {"exclude": [[HEADLESS]]})
    assert answer.status in (200, 403), name
    return answer.status == 200


@pytest.mark.slow
@pytest.mark.usefixtures("rows")
def test_every_page(browser: Browser, live_server: LiveServer, owner: User, audit: Audit) -> None:
    owner.is_superuser = True
    owner.save()
    # Not by `open_page`: refusals are part of the walk, and the browser reports them.
    page = browser.new_context(**axe.STILL).new_page()
    page.goto(live_server.url + "/admin/login/")
    page.fill("input[name=username]", owner.email)
    page.fill("input[type=password]", make.PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector("#site-name")
    names = [name for name in dict.fromkeys(named(admin.site.urls[0])) if name not in NO_PAGES]
    seen = {name for name in names if looked_at(page, live_server.url, name, audit)}
    page.context.close()
    assert {name for name in names if name.endswith("changelist")} <= seen
    assert len(seen) > 60
