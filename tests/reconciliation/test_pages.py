"""Bills on their pages: upload, comparison, file, deletion, and who may."""

import csv
import io
from typing import Any, Final

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from analytics.models import ProviderBill
from analytics.reconciliation import reading
from analytics.views import bills
from teams.models import AuditEntry, Organization, User
from tests import make, pages
from tests.reconciliation import traffic

LIST: Final = "/o/acme/bills/"
HOSTILE: Final = "<img src=x onerror=alert(1)>"
FORMULA: Final = "=cmd|' /C calc'!A0"


@pytest.fixture(autouse=True)
def _traffic(acme: Organization) -> None:
    traffic.prices()
    traffic.openai(acme)


def upload(client: Client, text: str | bytes, name: str = "cost.csv", **fields: str) -> Any:
    """What the form answers."""
    content = text if isinstance(text, bytes) else text.encode()
    return client.post(LIST, {"file": SimpleUploadedFile(name, content), **fields})


def test_a_bill_is_kept_without_its_file_and_compared_with_the_figures_of_now(
    client: Client, finance: User, acme: Organization
) -> None:
    client.force_login(finance)
    address = upload(client, traffic.OPENAI_COSTS).headers["Location"]
    kept = ProviderBill.objects.get()
    assert (kept.organization, kept.uploaded_by, kept.format, kept.provider) == (
        acme,
        finance,
        "openai-costs",
        "openai",
    )
    assert len(kept.digest) == 64
    assert "proj_1" not in str(ProviderBill.objects.values().get())
    content = client.get(address).content.decode()
    assert "All 5 lines agree." in content
    assert "Likely reasons" not in content
    assert ["Total", "$0.011", "$0.011", "0", "0 %", ""] in pages.rows(content)
    make.request(acme, model=traffic.MODEL, started_at=traffic.FIRST, input_tokens=4_000, output_tokens=0)
    content = client.get(address).content.decode()
    assert ["Total", "$0.011", "$0.021", "-$0.010", "-47.62 %", ""] in pages.rows(content)
    listed = client.get(LIST).content.decode()
    assert ["cost.csv", "OpenAI: costs", "2026-11-20 – 2026-11-22"] in [row[:3] for row in pages.rows(listed)]  # noqa: RUF001
    assert [(entry.action, entry.target) for entry in AuditEntry.objects.filter(action__startswith="bill")] == [
        ("bill.upload", "cost.csv")
    ]


def test_another_cost_of_ours(client: Client, finance: User, acme: Organization) -> None:
    make.adjustment(acme, "discount", "50", provider="anthropic")
    traffic.anthropic(acme)
    client.force_login(finance)
    address = upload(client, traffic.ANTHROPIC_COST).headers["Location"]
    content = client.get(address).content.decode()
    assert "Discount or markup" in content
    assert "Claude Haiku 4.5 = claude-haiku-4-5-20251001" in content
    assert "agree." in client.get(address, {"basis": "list"}).content.decode()
    assert "Discount or markup" in client.get(address, {"basis": HOSTILE}).content.decode()


def test_the_csv_has_all_lines_and_no_formula(client: Client, finance: User) -> None:
    client.force_login(finance)
    quoted = '"' + FORMULA.replace('"', '""') + ', output"'
    text = traffic.OPENAI_COSTS + f"1795132800,,,-0.5,usd,{quoted},p\n"
    address = upload(client, text).headers["Location"]
    response: Any = client.get(f"{address}csv")
    content = b"".join(response.streaming_content).decode()
    head, *rows = csv.reader(io.StringIO(content, newline=""))
    assert head[:4] == ["measure", "day", "model", "class"]
    assert len(rows) == 6
    assert ["cost", "2026-11-20", "'" + FORMULA, "output", "-0.5", "", "-0.5", "", "only on the bill"] in rows


def test_hostile_names_stand_there_as_text(client: Client, finance: User) -> None:
    client.force_login(finance)
    text = traffic.OPENAI_COSTS.replace("project_id", HOSTILE) + f'1795132800,,,1,usd,"{HOSTILE}, output",p\n'
    address = upload(client, text, f"{HOSTILE}.csv").headers["Location"]
    for page in (address, LIST):
        content = client.get(page).content.decode()
        assert HOSTILE not in content
        assert "&lt;img src=x onerror=alert(1)&gt;.csv" in content
    refused = upload(client, f"{HOSTILE},b\n1,2\n", format="generic", column_day=HOSTILE)
    assert refused.status_code == 400
    assert HOSTILE not in refused.content.decode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty."),
        (b"\xff\xd8\xff\xe0 a picture", "not UTF-8"),
        (b"a,b\n1,2\n", "No format has these columns: a, b."),
        (traffic.OPENAI_COSTS.replace(",usd,", ",eur,").encode(), "“eur” is not usd"),
    ],
)
def test_a_refused_file_leaves_nothing(content: bytes, says: str, client: Client, finance: User) -> None:
    client.force_login(finance)
    refused = upload(client, content)
    assert refused.status_code == 400
    assert says in refused.content.decode()
    assert not ProviderBill.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="bill").exists()


def test_too_large_a_file_is_refused_before_it_is_read(
    client: Client, finance: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(finance)
    monkeypatch.setattr(bills, "MOST_BYTES", 1)
    monkeypatch.setattr(bills, "_FORM_BYTES", 1)
    refused = upload(client, traffic.OPENAI_COSTS)
    assert refused.status_code == 413
    monkeypatch.undo()
    monkeypatch.setattr(reading, "MOST_BYTES", 1)
    assert upload(client, traffic.OPENAI_COSTS).status_code == 400
    assert not ProviderBill.objects.exists()


def test_a_form_without_a_file_or_with_a_wrong_choice(client: Client, finance: User) -> None:
    client.force_login(finance)
    assert "Choose a file." in client.post(LIST, {}).content.decode()
    assert "no such format" in upload(client, traffic.OPENAI_COSTS, format="fax").content.decode()
    assert not ProviderBill.objects.exists()


def test_the_form_is_protected(finance: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(finance)
    assert upload(client, traffic.OPENAI_COSTS).status_code == 403
    assert not ProviderBill.objects.exists()


def test_columns_chosen_on_the_page_and_kept_when_refused(client: Client, finance: User) -> None:
    client.force_login(finance)
    fields = {"format": "generic", **traffic.GENERIC_COLUMNS}
    refused = upload(client, traffic.GENERIC, **fields | {"column_cost": "EUR"})
    assert "no column EUR. Its columns are: When, Which, Kind, How many, USD." in refused.content.decode()
    assert 'value="How many"' in refused.content.decode()
    address = upload(client, traffic.GENERIC, **fields, provider="openai").headers["Location"]
    assert client.get(address).content.decode().count("All 5 lines agree.") == 2


def test_deleting(client: Client, finance: User) -> None:
    client.force_login(finance)
    address = upload(client, traffic.OPENAI_COSTS).headers["Location"]
    assert client.get(f"{address}delete").status_code == 405
    assert "is deleted" in client.post(f"{address}delete", follow=True).content.decode()
    assert client.get(address).status_code == 404
    assert AuditEntry.objects.filter(action="bill.delete").count() == 1


@pytest.mark.parametrize(
    ("persona", "status"),
    [("owner", 200), ("admin", 200), ("manager", 403), ("member", 403), ("outsider", 404)],
)
def test_who_may(persona: str, status: int, client: Client, finance: User, request: pytest.FixtureRequest) -> None:
    client.force_login(finance)
    address = upload(client, traffic.OPENAI_COSTS).headers["Location"]
    client.force_login(request.getfixturevalue(persona))
    for path in (LIST, address, f"{address}csv"):
        assert client.get(path).status_code == status, path
    assert upload(client, traffic.OPENAI_COSTS).status_code == (302 if status == 200 else status)
    assert client.post(f"{address}delete").status_code == (302 if status == 200 else status)
    assert ProviderBill.objects.count() == 1


def test_bills_of_another_organization_are_not_there(client: Client, finance: User, rival: Organization) -> None:
    client.force_login(finance)
    address = upload(client, traffic.OPENAI_COSTS).headers["Location"]
    client.force_login(make.member(rival, "owner"))
    assert client.get(address.replace("acme", "rival")).status_code == 404
    assert "cost.csv" not in client.get("/o/rival/bills/").content.decode()


def test_who_manages_chargeback_is_led_there(client: Client, finance: User, viewer: User) -> None:
    for person, led in ((finance, True), (viewer, False)):
        client.force_login(person)
        assert (f'href="{LIST}"' in client.get("/o/acme/statements/").content.decode()) is led
