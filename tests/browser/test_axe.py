"""axe finds nothing on any page of the portal but dashboard and administration, which have tests of their own."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import get_resolver
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from analytics import rollups
from analytics.chargeback import months, unsubscribing
from analytics.chargeback.closing import close
from analytics.chargeback.sharing import acts as sharing
from analytics.chargeback.sharing.acts import Wanted
from analytics.models import OutboxMail
from ingestion import rules, tasks
from ingestion.models import Upload
from teams.models import Membership, Organization, ReportRecipient, Team, User
from teams.tasks import send_reset
from tests import make
from tests.browser import axe, traffic
from tests.browser.conftest import Audit, Open
from tests.ingestion.uploads import content
from tests.reconciliation import traffic as bill_traffic

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LISTS = ("requests", "costs", "request", "overview", "routing")
CHARGEBACK = ("statements", "statement", "statement-month", "budgets", "budget-add", "budget", "bills", "bill")
MAILS = (
    *("mails", "shared-costs", "recipients", "team-recipients"),
    *("mail-preview", "finance-mail-preview", "unsubscribe"),
)
INGESTION = ("ingestion", "ingestion-test", "mapping", "mapping-try", "mapping-rule", "uploads", "upload")
PERSON = ("sign-in", "profile", "home", "invitation", "password-reset", "password-reset-sent", "password-reset-confirm")
# test_settings.py: teams and keys are also shown after what is sent to the routes below NO_PAGES.
# test_names.py
NAMES = (
    *("settings-callers", "settings-caller", "settings-caller-merge", "settings-accounts", "settings-account"),
    *("settings-account-merge", "settings-team-merge", "settings-models"),
)
# tests/teams/sso/test_browser.py
FACTORS = ("second-factor", "sign-in-factor")
SETTINGS = ("settings-people", "settings-teams", "settings-team", "settings-keys", "settings-sign-in", "settings-audit")
ELSEWHERE = ("dashboard",)  # test_axe_dashboard.py; the administration: test_axe_admin.py
# They answer with data or a file, redirect, or only take what is sent.
NO_PAGES = (
    *("healthz", "readyz", "metrics", "api-schema", "sign-out", "dashboard-data"),
    *("focus", "statement-focus", "statement-csv", "statement-pdf", "statement-month-close"),
    *("statement-list", "statement-detail", "shared-costs-switch", "shared-costs-delete"),
    *("mapping-move", "mapping-remove", "upload-progress", "upload-read", "upload-import", "upload-discard"),
    *("ingest-litellm", "ingest-envoy", "otlp-traces", "otlp-metrics", "otlp-logs"),
    *("langfuse-batch", "langfuse-otlp-traces", "metrics-query", "metrics-meta", "report"),
    *("request-list", "request-detail", "export-list", "export-detail", "export-file", "export-manifest"),
    *("dimension-values", "saved-views", "saved-view", "saved-view-result"),
    *("settings", "settings-invite", "settings-role", "settings-remove", "settings-key-rotate", "settings-key-revoke"),
    *("settings-invitation-resend", "settings-invitation-revoke"),
    *("settings-factor-reset", "settings-sign-in-remove", "settings-sign-in-only", "settings-sign-in-factor"),
    "settings-sign-in-domain",
    *("sso", "sso-callback", "second-factor-app", "second-factor-passkey"),
    *("second-factor-codes", "second-factor-remove"),
    *("settings-team-rename", "settings-team-add", "settings-team-role", "settings-team-remove"),
    *("settings-callers-move", "settings-caller-rename", "settings-accounts-move", "settings-account-rename"),
    *("bill-csv", "bill-delete"),
    *("finance-mails", "finance-mail-html", "finance-mail-test"),
    *("mail-rules", "mail-again", "mail-html", "mail-test", "recipient-change", "recipient-remove"),
    *("budget-watch", "budget-delete", "budget-secret", "budget-list", "budget-detail", "budget-status"),
    *("annotation-add", "annotation-delete", "annotations", "annotation", "saved-view-default", "preferences"),
)
# Swagger UI writes this one, and its faults are its own.
FOREIGN = ("api-docs",)


def test_every_route_is_here_or_no_page() -> None:
    named = {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}
    pages = {*LISTS, *CHARGEBACK, *MAILS, *INGESTION, *PERSON, *FACTORS, *SETTINGS, *NAMES, *ELSEWHERE}
    assert named == pages | {*NO_PAGES, *FOREIGN}


Options = dict[str, object]


def base(page: Page) -> str:
    """The address of the portal."""
    return page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2]


@axe.WIDTHS
def test_lists_and_their_dialogs(
    acme: Organization, owner: User, open_page: Open, audit: Audit, options: Options
) -> None:
    traffic.store(acme)
    rollups.drain()
    page = open_page(owner, "/o/acme/requests/?from=now-2d&f=model:eq:gpt-5", **options)
    audit(page, "requests")
    page.locator("#filter-add").click()
    audit(page, "filter of requests", "dialog[open]")
    page.keyboard.press("Escape")
    page.locator("#range-menu summary").click()
    audit(page, "range of requests", "#range-menu")
    page.keyboard.press("Escape")
    page.locator(".requests-table tbody a").first.click()
    expect(page.locator("#bill-title")).to_be_visible()
    audit(page, "request")
    page.goto(base(page) + "/o/acme/costs/?from=now-2d")
    audit(page, "costs")
    half = datetime.now(UTC) - timedelta(hours=12)
    page.goto(base(page) + f"/o/acme/overview/?month={half:%Y-%m}")
    page.locator(".overview-numbers summary").click()
    audit(page, "overview")
    page.goto(base(page) + f"/o/acme/routing/?at={half:%Y-%m-%dT%H:%M}Z")
    expect(page.locator(".routing-table")).to_be_visible()
    audit(page, "routing")


def test_lists_without_requests(acme: Organization, owner: User, open_page: Open, audit: Audit) -> None:
    page = open_page(owner, "/o/acme/requests/", **axe.STILL)
    audit(page, "no requests")
    for path in (
        "/o/acme/costs/",
        "/o/acme/statements/",
        "/o/acme/ingestion/",
        "/o/acme/ingestion/mapping",
        "/o/acme/overview/",
        "/o/acme/routing/",
    ):
        page.goto(base(page) + path)
        audit(page, f"{path}, empty")


@axe.WIDTHS
def test_statements(
    acme: Organization, search: Team, owner: User, open_page: Open, audit: Audit, options: Options
) -> None:
    ReportRecipient.objects.create(team=search, email="head@search.acme.example")
    now = datetime.now(UTC)
    last = months.preceding(months.month_of(now, acme))
    started_at = months.borders(acme, last).start + timedelta(days=3)
    for team, usd in (("Search", Decimal("12.5")), ("Search", None), (None, Decimal("0.01"))):
        make.request(acme, now=now, team=team, started_at=started_at, reported_cost_usd=usd)
    sharing.add(actor=owner, organization=acme, wanted=Wanted("", "even", last), now=now)
    close(organization=acme, month=last, now=now)
    page = open_page(owner, "/o/acme/statements/", **options)
    audit(page, "statements")
    page.goto(base(page) + f"/o/acme/statements/months/{last:%Y-%m}/")
    audit(page, "closed month")
    page.goto(base(page) + f"/o/acme/statements/months/{months.month_of(now, acme):%Y-%m}/")
    audit(page, "running month")
    page.goto(base(page) + "/o/acme/statements/")
    page.get_by_role("link", name="Search").click()
    expect(page.locator("h1")).to_have_text("Search")
    audit(page, "statement")
    for path in (
        *("mails/", "mails/preview", "shared/", "recipients/"),
        *(f"recipients/{search.pk}/", f"recipients/{search.pk}/preview"),
    ):
        page.goto(base(page) + f"/o/acme/statements/{path}")
        audit(page, path)
    page.goto(base(page) + unsubscribing.url_of(OutboxMail.objects.get()).partition("8000")[2])
    audit(page, "unsubscribe")
    page.goto(base(page) + "/o/acme/budgets/new")
    audit(page, "new budget")
    for name, value in (("name", "Everybody"), ("amount", "20"), ("webhook", "https://hooks.example.com/")):
        page.locator(f"#{name}").fill(value)
    page.get_by_role("button", name="Preview").click()
    audit(page, "preview of a budget")
    page.get_by_role("button", name="Create budget").click()
    audit(page, "budgets")
    page.get_by_role("link", name="Change Everybody").click()
    audit(page, "budget")


@axe.WIDTHS
def test_bills(acme: Organization, owner: User, open_page: Open, audit: Audit, options: Options) -> None:
    bill_traffic.prices()
    bill_traffic.openai(acme)
    page = open_page(owner, "/o/acme/bills/", **options)
    page.get_by_text("Columns of another file").click()
    audit(page, "bills")
    changed = bill_traffic.OPENAI_COSTS.replace("0.003,", "0.006,")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "cost.csv", "mimeType": "text/csv", "buffer": changed.encode()}
    )
    page.get_by_role("button", name="Upload and compare").click()
    expect(page.locator("h1")).to_have_text("cost.csv")
    for summary in page.locator(".bill-part > summary").all():
        summary.click()
    audit(page, "bill")


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Path:
    """What is uploaded; uploads have a folder that goes away."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    path = tmp_path / "requests.csv"
    path.write_bytes(content.csv(12, more=content.REJECTED))
    return path


@axe.WIDTHS
def test_uploads(acme: Organization, admin: User, open_page: Open, audit: Audit, file: Path, options: Options) -> None:
    page = open_page(admin, "/o/acme/ingestion/upload", **options)
    audit(page, "no uploads")
    page.set_input_files("#upload-file", str(file))
    page.get_by_role("button", name="Upload and preview").click()
    expect(page.locator(".upload-records")).to_be_visible()
    audit(page, "preview")
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#upload-words")).to_have_text("Waits for a worker")
    audit(page, "waiting")
    tasks.import_upload(str(Upload.objects.get().pk))
    expect(page.locator("#upload-words")).to_have_text("Imported")
    audit(page, "imported")
    page.get_by_label("Breadcrumb").get_by_role("link", name="Upload").click()
    audit(page, "uploads")


@axe.WIDTHS
def test_ingestion_and_mapping(
    acme: Organization, admin: User, open_page: Open, audit: Audit, options: Options
) -> None:
    traffic.store(acme)
    for attribute, target in (("x.team", "team"), ("x.app", "metadata.app")):
        rules.add_rule(actor=None, organization=acme, attribute=attribute, target=target)
    page = open_page(admin, "/o/acme/ingestion/", **options)
    page.get_by_role("button", name="Send a test record").click()
    expect(page.locator(".notice").first).to_be_visible()
    audit(page, "ingestion, tested")
    page.get_by_role("link", name="Map attributes").click()
    page.locator(".mapping-help summary").click()
    audit(page, "mapping")
    page.fill("#record", '{"request_id": "a", "started_at": "2026-11-24T12:00:00Z", "model": "m", "x.team": "Search"}')
    page.get_by_role("button", name="Try it").click()
    page.wait_for_url("**/mapping/try#trial")
    audit(page, "mapping, tried")
    page.get_by_role("link", name="Edit rule 1").click()
    audit(page, "rule")


def test_pages_of_a_person(
    acme: Organization, rival: Organization, owner: User, nobody: User, open_page: Open, audit: Audit
) -> None:
    Membership.objects.create(organization=rival, user=owner, role="member")
    page = open_page(owner, "/o/acme/statements/", **axe.STILL)
    page.locator(".topbar summary").first.click()
    audit(page, "organizations", ".topbar")
    page.locator(".topbar-end summary").click()
    audit(page, "account", ".topbar")
    page.get_by_role("link", name="Profile").click()
    audit(page, "profile")
    page.get_by_role("button", name="Change password").click()
    page.evaluate("scrollTo(0, 0)")  # the browser went to the field: what the bar half covers is no small target
    audit(page, "profile")
    page = open_page(nobody, "/", **axe.STILL)
    audit(page, "no organization")


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """A page of nobody."""
    context = browser.new_context(**axe.STILL)
    yield context.new_page()
    context.close()


def test_signing_in(db: None, live_server: LiveServer, stranger: Page, audit: Audit) -> None:
    stranger.goto(live_server.url + "/sign-in")
    audit(stranger, "sign-in")
    stranger.fill("input[name=username]", "nobody@example.com")
    stranger.fill("input[type=password]", "wrong")
    stranger.click("button[type=submit]")
    expect(stranger.locator(".notice.error")).to_be_visible()
    audit(stranger, "refused")


def test_a_new_password(
    live_server: LiveServer,
    owner: User,
    stranger: Page,
    audit: Audit,
    settings: Settings,
    mailoutbox: list[EmailMessage],
) -> None:
    settings.PORTAL_URL = live_server.url
    stranger.goto(live_server.url + "/sign-in")
    stranger.get_by_role("link", name="Forgot your password?").click()
    audit(stranger, "password-reset")
    stranger.fill("[name=email]", owner.email)
    stranger.click("button[type=submit]")
    expect(stranger.locator("h1")).to_have_text("Look into your mail")
    audit(stranger, "password-reset-sent")
    send_reset(owner.email)
    (address,) = re.findall(r"http\S+/password-reset/\S+", str(mailoutbox[0].body))
    stranger.goto(address)
    audit(stranger, "password-reset-confirm")
    for name in ("new_password1", "new_password2"):
        stranger.fill(f"[name={name}]", "a wholly different phrase")
    stranger.click("button[type=submit]")
    expect(stranger.locator(".notice.success")).to_contain_text("Your password was changed.")
    stranger.goto(address)
    expect(stranger.locator("h1")).to_have_text("This link is over")
    audit(stranger, "password-reset-confirm, over")


def test_too_many_tries(live_server: LiveServer, owner: User, stranger: Page, audit: Audit, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 1
    stranger.goto(live_server.url + "/sign-in")
    stranger.fill("input[name=username]", owner.email)
    stranger.fill("input[type=password]", "wrong")
    stranger.click("button[type=submit]")
    expect(stranger.locator("h1")).to_have_text("Too many wrong passwords")
    audit(stranger, "locked")


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html"])
def test_errors(live_server: LiveServer, stranger: Page, audit: Audit, template: str) -> None:
    body = render_to_string(template, {"may_repeat": True})
    stranger.route("**/error", lambda route: route.fulfill(body=body, content_type="text/html"))
    stranger.goto(live_server.url + "/error")
    audit(stranger, template)
