"""Who may upload, look and decide: administrators of the organization, and nobody from elsewhere."""

import re
import uuid
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import get_resolver

from ingestion.models import Upload
from ingestion.uploads import acts
from teams.models import Organization, User
from tests import make
from tests.ingestion.uploads import content
from tests.ingestion.uploads.conftest import Store
from tests.ingestion.uploads.test_pages import PAGE, send

ADDRESSES = {
    "uploads": ("get", ""),
    "upload": ("get", "/{}/"),
    "upload-progress": ("get", "/{}/progress"),
    "upload-read": ("post", "/{}/read"),
    "upload-import": ("post", "/{}/import"),
    "upload-discard": ("post", "/{}/discard"),
}


def test_the_table_of_addresses_is_complete() -> None:
    assert set(ADDRESSES) == {str(name) for name in get_resolver().reverse_dict if str(name).startswith("upload")}


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    ("who", "status"),
    [
        *(("owner", 200), ("admin", 200), ("finance", 403), ("manager", 403), ("viewer", 403), ("member", 403)),
        *(("outsider", 404), ("nobody", 404), ("superuser", 404)),
    ],
)
def test_who_may(
    client: Client, store: Store, folder: Path, request: pytest.FixtureRequest, name: str, who: str, status: int
) -> None:
    upload = store(content.csv(1))
    client.force_login(request.getfixturevalue(who))
    method, path = ADDRESSES[name]
    answer = getattr(client, method)(PAGE + path.format(upload.pk), follow=True)
    assert answer.status_code == status
    if status != 200:
        assert send(client, content.csv(1)).status_code == status
        upload.refresh_from_db()
        assert (upload.state, Upload.objects.count(), len(list(folder.iterdir()))) == ("waiting", 1, 1)


@pytest.mark.parametrize("name", ADDRESSES)
def test_visitors_are_asked_to_sign_in(client: Client, store: Store, folder: Path, name: str) -> None:
    upload = store(content.csv(1))
    method, path = ADDRESSES[name]
    assert getattr(client, method)(PAGE + path.format(upload.pk)).headers["Location"].startswith("/sign-in")
    assert send(client, content.csv(1)).headers["Location"].startswith("/sign-in")
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("name", [name for name in ADDRESSES if name != "uploads"])
def test_uploads_of_another_organization_do_not_exist(
    browser_of_admin: Client, store: Store, rival: Organization, name: str
) -> None:
    theirs = store(content.csv(1), organization=rival)
    method, path = ADDRESSES[name]
    there = getattr(browser_of_admin, method)(PAGE + path.format(theirs.pk))
    nowhere = getattr(browser_of_admin, method)(PAGE + path.format(uuid.uuid4()))
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert there.content == nowhere.content
    assert str(theirs.pk) not in browser_of_admin.get(PAGE).content.decode()
    theirs.refresh_from_db()
    assert theirs.state == "waiting"


def test_what_changes_something_is_posted(browser_of_admin: Client, store: Store) -> None:
    upload = store(content.csv(1))
    posted = [path for method, path in ADDRESSES.values() if method == "post"]
    assert {browser_of_admin.get(PAGE + path.format(upload.pk)).status_code for path in posted} == {405}
    assert browser_of_admin.delete(PAGE).status_code == 405


def test_forms_of_other_sites_store_nothing(admin: User, store: Store, folder: Path) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    upload = store(content.csv(1))
    assert send(client, content.csv(1)).status_code == 403
    assert client.post(f"{PAGE}/{upload.pk}/import").status_code == 403
    assert len(list(folder.iterdir())) == Upload.objects.count() == 1
    page = client.get(PAGE).content.decode()
    (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.partition('id="upload-form"')[2]))
    assert send(client, content.csv(1), csrfmiddlewaretoken=token).status_code == 302


def test_acts_ask_for_the_right_themselves(store: Store, acme: Organization, finance: User) -> None:
    upload = store(content.csv(1))
    file, choice = acts.Received("a.csv", "0" * 32, 1), acts.Choice()
    with pytest.raises(PermissionDenied):
        acts.receive(actor=finance, organization=acme, file=file, choice=choice, now=make.NOW)
    with pytest.raises(PermissionDenied):
        acts.read_as(actor=finance, upload=upload, choice=acts.Choice("otlp"))
    with pytest.raises(PermissionDenied):
        acts.start(actor=finance, upload=upload, now=make.NOW)
    with pytest.raises(PermissionDenied):
        acts.discard(actor=finance, upload=upload, now=make.NOW)
    assert Upload.objects.values_list("state", "format").get() == ("waiting", "auto")
