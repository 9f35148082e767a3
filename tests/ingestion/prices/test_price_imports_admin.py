"""Upload, look, confirm: catalogues in the administration."""

from datetime import timedelta
from typing import Any, Final

import pytest
import time_machine
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.utils import timezone

from ingestion.admin.price_imports import HOLDS, LARGEST_FILE, ImportingAdmin
from ingestion.models import PriceEntry
from ingestion.pricing.catalogues import own_csv
from teams.models import AuditEntry, Membership, Organization, User
from tests import make, pages
from tests.ingestion.prices.test_import_prices import ONE, entries, litellm

pytestmark = pytest.mark.django_db
PAGE: Final = "/admin/ingestion/priceentry/import/"
TEMPLATE: Final = f"{PAGE}template.csv"
LIST: Final = "/admin/ingestion/priceentry/"


def upload(client: Client, text: str | bytes, organization: Organization | None, **fields: str) -> Any:
    content = text.encode() if isinstance(text, str) else text
    sent = {
        "file": SimpleUploadedFile("prices", content),
        "organization": organization.pk if organization else "",
        "name": "",
        "effective_from": "2026-11-01 00:00",
        **fields,
    }
    return client.post(PAGE, sent)


def confirm(client: Client, page: Any, **changes: Any) -> Any:
    return client.post(PAGE, {"pending": page.context["pending"]} | changes)


@pytest.fixture
def as_finance(client: Client, finance: User) -> Client:
    client.force_login(finance)
    return client


def test_what_is_shown_is_confirmed_and_appended(as_finance: Client, finance: User, acme: Organization) -> None:
    page = upload(as_finance, ONE, acme)
    assert [row for row in pages.rows(page.content.decode()) if row[0] == "openai"] == [
        ["openai", "gpt-4o", "exact", "input", "no price", "2.5", "2026-11-01 00:00"],
        ["openai", "gpt-4o", "exact", "output", "no price", "10", "2026-11-01 00:00"],
        ["openai", "o3", "exact", "input", "no price", "2", "2026-11-01 00:00"],
        ["openai", "o3", "exact", "output", "no price", "8", "2026-11-01 00:00"],
    ]
    assert not PriceEntry.objects.exists()
    answer = confirm(as_finance, page)
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    c = ("acme", "catalogue:litellm")
    assert entries() == [
        (*c, "gpt-4o", "input", "2.5", "11-01"),
        (*c, "gpt-4o", "output", "10", "11-01"),
        (*c, "o3", "input", "2", "11-01"),
        (*c, "o3", "output", "8", "11-01"),
    ]
    audited = AuditEntry.objects.get()
    assert (audited.actor, audited.organization, audited.action) == (finance, acme, "priceentry.import")
    assert not LogEntry.objects.exists()


def test_the_next_edition_shows_what_differs(as_finance: Client, acme: Organization) -> None:
    confirm(as_finance, upload(as_finance, ONE, acme))
    later = litellm(gpt_4o=("0.0000025", "0.000009"), bad=("-1", "1e-7"))
    page = upload(as_finance, later, acme, effective_from="2026-11-20 12:00")
    text = page.content.decode()
    assert [row[1:2] + row[3:6] for row in pages.rows(text) if row[0] == "openai"] == [
        ["gpt-4o", "output", "10", "9"],
        ["o3", "input", "2", "no price"],
        ["o3", "output", "8", "no price"],
        ["bad", "output", "no price", "0.1"],
    ]
    assert "<li>bad: input is negative</li>" in text
    same = upload(as_finance, ONE, acme)
    assert "Nothing to append" in same.content.decode()
    assert b'name="pending"' not in same.content


def test_a_second_click_appends_nothing(as_finance: Client, acme: Organization) -> None:
    page = upload(as_finance, ONE, acme)
    confirm(as_finance, page)
    again = confirm(as_finance, page)
    assert again.status_code == 200
    assert b"Nothing was written" in again.content
    assert PriceEntry.objects.count() == 4


def test_a_book_that_changed_in_between_is_shown_anew(as_finance: Client, acme: Organization) -> None:
    page = upload(as_finance, ONE, acme)
    make.price("gpt-4o", "input", "9", source="catalogue:litellm@0", provider="openai", organization=acme)
    again = confirm(as_finance, page)
    assert ["openai", "gpt-4o", "exact", "input", "9", "2.5", "2026-11-01 00:00"] in pages.rows(again.content.decode())
    assert PriceEntry.objects.count() == 1
    confirm(as_finance, again)
    assert PriceEntry.objects.count() == 5


def test_what_was_tampered_with_is_not_appended(as_finance: Client, acme: Organization) -> None:
    page = upload(as_finance, ONE, acme)
    pending = page.context["pending"]
    other = upload(as_finance, litellm(o3=("0.000001", "0.000001")), acme).context["pending"]
    for forged in ("", "x", pending[:-1], pending[1:], f"{other.split(':')[0]}:{pending.partition(':')[2]}"):
        answer = confirm(as_finance, page, pending=forged)
        assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert not PriceEntry.objects.exists()


def test_a_comparison_is_confirmed_by_whoever_saw_it_within_an_hour(
    as_finance: Client, admin: User, acme: Organization
) -> None:
    page = upload(as_finance, ONE, acme)
    colleague = Client()
    colleague.force_login(admin)
    assert confirm(colleague, page)["Location"] == PAGE
    with time_machine.travel(timezone.now() + HOLDS + timedelta(seconds=5)):
        assert confirm(as_finance, page)["Location"] == PAGE
    assert not PriceEntry.objects.exists()
    assert confirm(as_finance, page)["Location"] == LIST


def test_rights_are_asked_again_at_the_end(as_finance: Client, finance: User, acme: Organization) -> None:
    second = make.organization()
    Membership.objects.create(organization=second, user=finance, role="finance")
    page = upload(as_finance, ONE, acme)
    Membership.objects.filter(organization=acme, user=finance).update(role="member")
    assert confirm(as_finance, page).status_code == 403
    assert not PriceEntry.objects.exists()


def test_others_are_priced_by_nobody_else(as_finance: Client, rival: Organization) -> None:
    for organization in (rival, None):
        page = upload(as_finance, ONE, organization)
        assert "organization" in page.context["form"].errors
    assert "Rival" not in as_finance.get(PAGE).content.decode()


def test_operators_price_for_everybody_and_for_any_organization(
    client: Client, superuser: User, acme: Organization
) -> None:
    client.force_login(superuser)
    confirm(client, upload(client, ONE, None))
    confirm(client, upload(client, ONE, acme))
    assert [entry[0] for entry in entries()] == [None] * 4 + ["acme"] * 4
    assert AuditEntry.objects.get().organization == acme
    kept = LogEntry.objects.get()
    assert (kept.user, kept.object_repr.partition("@")[0]) == (superuser, "catalogue:litellm")
    assert kept.change_message == "4 new, 0 changed, 0 gone, 0 unchanged, 0 skipped"


def test_operators_lose_the_right_to_price_for_everybody_with_their_role(
    client: Client, superuser: User, acme: Organization
) -> None:
    client.force_login(superuser)
    page = upload(client, ONE, None)
    Membership.objects.create(organization=acme, user=superuser, role="finance")
    User.objects.filter(pk=superuser.pk).update(is_superuser=False)
    assert confirm(client, page).status_code == 403
    assert not PriceEntry.objects.exists()


@pytest.mark.parametrize("persona", ["owner", "admin", "finance"])
def test_those_who_manage_prices_import_them(client: Client, request: Any, acme: Organization, persona: str) -> None:
    client.force_login(request.getfixturevalue(persona))
    assert PAGE in client.get(LIST).content.decode()
    assert confirm(client, upload(client, ONE, acme)).status_code == 302
    assert PriceEntry.objects.count() == 4


@pytest.mark.parametrize("persona", ["manager", "viewer", "member", "nobody", None])
@pytest.mark.parametrize("path", [PAGE, TEMPLATE])
def test_others_do_not(client: Client, request: Any, acme: Organization, persona: str | None, path: str) -> None:
    if persona:
        client.force_login(request.getfixturevalue(persona))
    assert client.get(path).status_code in (302, 403)
    assert upload(client, ONE, acme).status_code in (302, 403)
    assert not PriceEntry.objects.exists()


def test_the_template_is_a_file_that_can_be_imported(as_finance: Client, acme: Organization) -> None:
    answer = as_finance.get(TEMPLATE)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="prices.csv"'
    assert answer.content.decode() == own_csv.template()
    confirm(as_finance, upload(as_finance, answer.content, acme, name="contract"))
    assert {entry[1] for entry in entries()} == {"catalogue:contract"}
    assert PriceEntry.objects.count() == 5


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "file"),
        ("", "file"),
        ("a;b\n1;2\n", "file"),
        (b"\xff\xfe\x00", "file"),
    ],
)
def test_files_that_are_none_are_refused_at_their_field(
    as_finance: Client, acme: Organization, text: str | bytes, field: str
) -> None:
    page = upload(as_finance, text, acme)
    assert list(page.context["form"].errors) == [field]


def test_large_files_are_not_read(as_finance: Client, acme: Organization) -> None:
    lines = b"model,token_class,price\n" + b"m,input,1\n" * (LARGEST_FILE // 10)
    page = upload(as_finance, lines, acme)
    assert page.context["form"].errors["file"] == ["The file is larger than 8 MiB."]


def test_the_page_itself_asks_for_the_right(rf: RequestFactory, member: User, finance: User) -> None:
    """Today nobody enters the administration without it; roles are a table that may change."""
    page = site.get_model_admin(PriceEntry)
    assert isinstance(page, ImportingAdmin)
    for view in (page.import_view, page.template_view):
        request = rf.get(PAGE)
        request.user = member
        with pytest.raises(PermissionDenied):
            view(request)
        request = rf.get(PAGE)
        request.user = finance
        assert view(request).status_code == 200


def test_fields_that_are_no_class_are_listed(as_finance: Client, acme: Organization) -> None:
    model = '{"m": {"input_cost_per_token": 1e-6, "input_cost_per_image": 1}, "n": {"input_cost_per_image": 1}}'
    text = upload(as_finance, model, acme).content.decode()
    assert "<li>input_cost_per_image (2)</li>" in text
    assert "<li>new: 1</li>" in text


def test_files_too_large_to_come_back_are_sent_to_the_command(
    as_finance: Client, acme: Organization, settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 300
    page = upload(as_finance, ONE, acme)
    assert "manage.py import_prices" in page.context["form"].errors["file"][0]


def test_the_list_stays_short_beside_a_whole_catalogue(as_finance: Client, acme: Organization) -> None:
    few = litellm(**{f"m{number}": ("0.000001", "0.000001") for number in range(50)})
    confirm(as_finance, upload(as_finance, few, acme))
    assert as_finance.get(f"{LIST}entries/").content.decode().count("?model_match=") == 50
    many = litellm(**{f"n{number}": ("0.000001", "0.000001") for number in range(200)})
    confirm(as_finance, upload(as_finance, many, acme, name="many"))
    assert b"?model_match=" not in as_finance.get(f"{LIST}entries/").content
    chosen = as_finance.get(f"{LIST}entries/", {"model_match": "n7"})
    assert [entry.model_match for entry in chosen.context["cl"].result_list] == ["n7", "n7"]
    assert b"model_match=n8" not in chosen.content


def test_texts_of_a_file_are_shown_as_text(as_finance: Client, acme: Organization) -> None:
    hostile = "<script>alert(1)</script>"
    page = upload(as_finance, f"model,token_class,price\n{hostile},input,1\n{hostile},input,x\n", acme)
    text = page.content.decode()
    assert hostile not in text
    assert text.count("&lt;script&gt;") == 1  # its second row withholds the first
