"""Names that are markup, in everything that has a name: every page shows them as they are, and nothing of them runs.

Whatever ran would be a dialog or a refusal of the content policy, and either fails the test (conftest.py).
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from analytics import rollups
from analytics.chargeback import months
from analytics.chargeback.closing import close
from analytics.models import Statement
from ingestion.metadata import register
from ingestion.models import GatewayUser, LLMRequest, MetadataKey
from teams.models import Organization, ReportRecipient, Team, User, VirtualAccount
from tests import make
from tests.browser.conftest import Open
from tests.browser.test_dashboard import ready
from tests.budgets import scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MARK = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}${7*7}"
MODEL = "<svg onload=alert(3)></script><script>alert(4)</script>"
USER, TEAM, ACCOUNT, ROUTE, ERROR, VALUE = (f"{what}{MARK}" for what in ("u", "t", "a", "r", "e", "v"))
KEY = "k<img src=x onerror=alert(5)>"
VIEWS = {"model": MODEL, "virtual_model": ROUTE, "user": USER, "virtual_account": ACCOUNT, "team": TEAM}


def store(organization: Organization) -> None:
    """Requests of yesterday and of the month before this one, which is closed: every name is hostile."""
    now = datetime.now(UTC)
    last = months.preceding(months.month_of(now, organization))
    for started_at, failed in (
        (months.borders(organization, last).start + timedelta(days=3), False),
        (now - timedelta(minutes=90), False),
        (now - timedelta(minutes=91), True),
    ):
        make.request(
            organization,
            now=now,
            started_at=started_at,
            model=MODEL,
            provider="<b>p</b>",
            virtual_model=ROUTE,
            user=USER,
            team=TEAM,
            virtual_account=ACCOUNT,
            metadata={KEY: VALUE},
            input_tokens=1_000,
            output_tokens=100,
            latency_ms=900.0,
            status_code=500 if failed else 200,
            error_type=ERROR if failed else None,
            trace_id=f"trace{MARK}",
            reported_cost_usd=None if failed else Decimal("1.25"),
        )
    register(MetadataKey.objects.get(organization=organization), now)
    rollups.drain()
    team = Team.objects.get(organization=organization, name=TEAM)
    ReportRecipient.objects.create(team=team, email="head@acme.example")
    close(organization=organization, month=last, now=now)


def shows(page: Page, *words: str) -> None:
    """The page has the words as text, and no element made of them."""
    for one in words:
        expect(page.locator("main, #content").first).to_contain_text(one)
    assert page.locator("img[src=x], svg[onload], main script:not([type='application/json']), main b").count() == 0


def every_view(page: Page) -> None:
    """Legends, sentences, tooltips and the table of each View by."""
    for view, name in VIEWS.items():
        page.locator(f'#view-by [data-by="{view}"]').click()
        expect(page.locator(".breakdown-table tbody th")).to_have_text([name])
        ready(page)
        for panel in ("cost", "latency"):
            expect(page.locator(f'[data-panel="{panel}"] [data-legend] .name')).to_have_text([name])
        shows(page, name, ERROR)
        canvas = page.locator('[data-panel="cost"] canvas')
        assert name in (canvas.get_attribute("aria-label") or "")
        canvas.focus()
        page.keyboard.press("Home")
        for _ in range(6):
            if page.locator(".tooltip > .tooltip-row .name", has_text=name).count():
                break
            page.keyboard.press("ArrowRight")
        expect(page.locator(".tooltip > .tooltip-row .name").first).to_have_text(name)
        page.keyboard.press("Escape")


def menus_and_dialogs(page: Page) -> None:
    """Values to choose from, chips, the preview of an export, saved views."""
    page.locator('#view-by [data-by="user"]').click()
    ready(page)
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("user")
    page.locator("#filter-values-field .ts-control input").click()
    page.locator(".ts-dropdown .option", has_text=USER).click()
    page.locator("#filter-form [type=submit]").click()
    expect(page.locator(".chip").first).to_contain_text(USER)
    ready(page)
    page.keyboard.press("e")
    expect(page.locator("#export-preview tbody").locator("td, th").first).to_have_text(USER)
    page.keyboard.press("Escape")
    page.locator("#views summary").click()
    page.locator("#views-name").fill(MARK)
    page.locator("#views-form [type=submit]").click()
    expect(page.locator("#views-found")).to_contain_text(MARK)
    shows(page, USER)


def pages_of(organization: Organization, now: datetime) -> dict[str, tuple[str, ...]]:
    """Addresses of all other pages, with what each shows."""
    team = Team.objects.get(organization=organization, name=TEAM)
    caller = GatewayUser.objects.get(organization=organization, name=USER)
    account = VirtualAccount.objects.get(organization=organization, name=ACCOUNT)
    budget = scene.budget(organization, "20", name=f"b{MARK}", team=TEAM, now=now)
    failed = LLMRequest.objects.get(error_type__isnull=False)
    statement = Statement.objects.get(team=team)
    last = months.preceding(months.month_of(now, organization))
    month = f"month={failed.started_at:%Y-%m}"
    return {
        "requests/?from=now-6h": (MODEL, USER, TEAM, ACCOUNT, ROUTE),
        f"requests/one?id={quote(failed.request_id, safe='')}": (MODEL, USER, TEAM, ACCOUNT, ROUTE, ERROR, KEY, VALUE),
        f"overview/?{month}": (MODEL, USER, TEAM, ACCOUNT),
        **{f"overview/?{month}&f={view}:eq:{quote(name, safe='')}": (name,) for view, name in VIEWS.items()},
        f"routing/?name={quote(ROUTE, safe='')}": (),
        "costs/?from=now-6h": (MODEL,),
        "statements/": (TEAM,),
        f"statements/{statement.number}/": (TEAM, MODEL, USER),
        f"statements/months/{last:%Y-%m}/": (TEAM,),
        "statements/recipients/": (TEAM,),
        f"statements/recipients/{team.pk}/": (TEAM,),
        "statements/mails/": (TEAM,),
        "budgets/": (budget.name, TEAM),
        f"budgets/{budget.pk}": (),
        "bills/": (),
        "settings/teams": (TEAM,),
        f"settings/teams/{team.pk}": (TEAM,),
        "settings/callers": (USER,),
        f"settings/callers/{caller.pk}": (USER,),
        "settings/accounts": (ACCOUNT,),
        f"settings/accounts/{account.pk}": (ACCOUNT,),
        "settings/models": (MODEL,),
        "settings/audit": (),
        f"statements/recipients/{team.pk}/preview": (),
    }


@pytest.mark.slow  # thirty pages
def test_names_are_text_on_every_page(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    page = ready(open_page(owner, "/o/acme/?from=now-4h&interval=1+hour"))
    base = page.url.split("?")[0]
    every_view(page)
    menus_and_dialogs(page)
    page.goto(f"{base}?by=metadata&key={quote(KEY)}&from=now-6h")
    shows(ready(page), KEY, VALUE)
    for path, words in pages_of(acme, datetime.now(UTC)).items():
        page.goto(base + path)
        shows(page, *words)
    expect(page.frame_locator("iframe").locator("body")).to_contain_text(TEAM)
