"""The bar of the portal fits, whatever the organization is called; where it cannot, this page's link is in sight."""

import pytest
from playwright.sync_api import expect

from teams.models import Organization, User
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NAME = "Société générale des passerelles de modèles de langage, Genève"
CUT = "nav => nav.scrollWidth - nav.clientWidth"


@pytest.mark.parametrize("several", [False, True], ids=["one organization", "several"])
def test_every_link_is_seen(
    acme: Organization, rival: Organization, owner: User, open_page: Open, several: bool
) -> None:
    Organization.objects.filter(pk=acme.pk).update(name=NAME)
    if several:
        rival.memberships.create(user=owner, role="owner")
    page = open_page(owner, "/o/acme/budgets/")
    nav = page.locator(".topbar-nav")
    expect(nav.get_by_role("link")).to_have_count(10)
    for width in (1024, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 700})
        assert nav.evaluate(CUT) <= 0, width
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


@pytest.mark.parametrize("path", ["budgets/", "settings/audit"])
def test_on_a_telephone_the_link_of_the_page_is_in_sight(
    acme: Organization, owner: User, open_page: Open, path: str
) -> None:
    page = open_page(owner, f"/o/{acme.slug}/{path}", viewport={"width": 360, "height": 700})
    for link in page.locator(".topbar-nav [aria-current], nav.segmented [aria-current]").all():
        box, row = link.bounding_box(), link.locator("..").bounding_box()
        assert box
        assert row
        assert row["x"] <= box["x"]
        assert box["x"] + box["width"] <= row["x"] + row["width"] + 1
