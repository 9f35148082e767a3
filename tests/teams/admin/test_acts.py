"""What managers do in the administration: members, keys, people."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from teams import services
from teams.models import ApiKey, AuditEntry, Membership, Organization, Team, User
from tests import make
from tests.teams.admin.conftest import Enter

pytestmark = pytest.mark.urls("tests.teams.urls")
ADD_KEY = "/admin/teams/apikey/add/"
ADD_MEMBER = "/admin/teams/membership/add/"


def secret_of(page: str) -> str:
    """The secret that a page shows once."""
    found = re.search(r'<pre id="secret">([^<]+)</pre>', page)
    assert found
    return found[1]


def test_a_key_is_shown_once(enter: Enter, acme: Organization, admin: User) -> None:
    client = enter("admin")
    page = client.post(
        ADD_KEY, {"organization": acme.pk, "owner": admin.pk, "name": "Grafana", "scopes": ["read", "export"]}
    )
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    text = secret_of(page.content.decode())
    key = services.find_key(text, timezone.now())
    assert key is not None
    assert (key.organization, key.owner, key.scopes) == (acme, admin, ["export", "read"])
    for where in ("/admin/teams/apikey/", f"/admin/teams/apikey/{key.pk}/change/", "/admin/"):
        body = client.get(where).content.decode()
        assert text not in body
        assert text.split("_", 2)[2] not in body
        assert bytes(key.digest).hex() not in body
    assert text not in "".join(morsel.value for morsel in client.cookies.values())


def test_wrong_keys_are_refused_in_the_form(enter: Enter, acme: Organization, admin: User, outsider: User) -> None:
    client = enter("admin")
    before = ApiKey.objects.count()
    good = {"organization": acme.pk, "owner": admin.pk, "name": "Grafana", "scopes": ["read"]}
    changes: list[dict[str, object]] = [{"scopes": ["root"]}, {"scopes": []}, {"owner": outsider.pk}, {"name": ""}]
    for change in changes:
        page = client.post(ADD_KEY, good | change)
        assert page.context["adminform"].form.errors.keys() == change.keys()
    past = timezone.now() - timedelta(days=1)
    expired = client.post(ADD_KEY, good | {"expires_at_0": past.date(), "expires_at_1": "00:00"}, follow=True)
    assert b"A key must expire in the future." in expired.content
    assert ApiKey.objects.count() == before


def test_an_administrator_cannot_borrow_an_owner(enter: Enter, acme: Organization, owner: User) -> None:
    before = ApiKey.objects.count()
    form = {"organization": acme.pk, "owner": owner.pk, "name": "Borrowed", "scopes": ["read"]}
    assert enter("admin").post(ADD_KEY, form).status_code == 403
    assert ApiKey.objects.count() == before


def test_keys_are_revoked_by_an_action_within_the_organization(enter: Enter) -> None:
    client = enter("admin")
    keys = ApiKey.objects.values_list("pk", flat=True)
    client.post("/admin/teams/apikey/", {"action": "revoke", "_selected_action": list(keys)})
    assert dict(ApiKey.objects.exclude(revoked_at=None).values_list("name", "organization__slug")) == {
        "acme key": "acme"
    }
    assert AuditEntry.objects.filter(action="key.revoke", organization__slug="acme").count() == 1
    key = ApiKey.objects.get(name="acme key")
    assert client.post(f"/admin/teams/apikey/{key.pk}/change/", {"name": "x", "revoked_at": ""}).status_code == 403
    assert client.post(f"/admin/teams/apikey/{key.pk}/delete/", {"post": "yes"}).status_code == 403


def add_member(client: Client, acme: Organization, email: str, role: str = "member") -> str:
    form = {"organization": acme.pk, "email": email, "name": "Eve", "role": role}
    return client.post(ADD_MEMBER, form, follow=True).content.decode()


def test_a_new_member_gets_a_first_password(enter: Enter, acme: Organization) -> None:
    password = secret_of(add_member(enter("superuser"), acme, "Eve@acme.example", "finance"))
    membership = Membership.objects.get(user__email="eve@acme.example")
    assert (membership.organization, membership.role, membership.user.name) == (acme, "finance", "Eve")
    assert membership.user.check_password(password)
    assert not membership.user.is_superuser
    assert password not in repr(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_an_organization_invites_and_never_knows_a_first_password(enter: Enter, acme: Organization, role: str) -> None:
    client = enter(role)
    form = {"organization": acme.pk, "email": "eve@acme.example", "name": "Eve", "role": "member"}
    assert client.post(ADD_MEMBER, form).status_code == 403
    assert ADD_MEMBER not in client.get("/admin/teams/membership/").content.decode()
    assert not User.objects.filter(email="eve@acme.example").exists()


def test_adding_somebody_tells_nothing_about_other_organizations(
    enter: Enter, acme: Organization, outsider: User
) -> None:
    client = enter("superuser")
    known = add_member(client, acme, outsider.email)
    fresh = add_member(client, acme, "outsider-9@rival.example")
    outsider.refresh_from_db()
    assert outsider.check_password(make.PASSWORD)

    def neutral(page: str, email: str) -> str:
        page = page.replace(secret_of(page), "").replace(email, "")
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)

    assert neutral(known, outsider.email) == neutral(fresh, "outsider-9@rival.example")


def test_adding_a_member_twice_is_a_message(enter: Enter, acme: Organization, member: User) -> None:
    assert "belongs to the organization already" in add_member(enter("superuser"), acme, member.email)


def test_nobody_rises_by_themselves(enter: Enter, acme: Organization, admin: User, owner: User) -> None:
    client = enter("admin")
    own, top = (Membership.objects.get(user=user) for user in (admin, owner))
    assert client.post(f"/admin/teams/membership/{own.pk}/change/", {"role": "owner"}).status_code == 403
    assert client.post(f"/admin/teams/membership/{top.pk}/change/", {"role": "member"}).status_code == 403
    assert client.post(f"/admin/teams/membership/{top.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/teams/membership/", {"action": "delete_selected", "_selected_action": [top.pk], "post": "yes"})
    assert (
        client.post(ADD_MEMBER, {"organization": acme.pk, "email": "e@x.example", "role": "owner"}).status_code == 403
    )
    assert dict(Membership.objects.filter(pk__in=[own.pk, top.pk]).values_list("user__email", "role")) == {
        "admin@acme.example": "admin",
        "owner@acme.example": "owner",
    }


def test_nobody_but_an_operator_touches_accounts(enter: Enter, owner: User, admin: User) -> None:
    client = enter("owner")
    for person in (owner, admin):
        form = {"email": "taken@acme.example", "name": "x", "is_active": "on", "is_superuser": "on"}
        assert client.post(f"/admin/teams/user/{person.pk}/change/", form).status_code == 403
        assert client.post(f"/admin/teams/user/{person.pk}/password/", {"password1": "x"}).status_code == 403
    assert client.post("/admin/teams/user/add/", {"email": "new@acme.example"}).status_code == 403
    assert not User.objects.filter(is_superuser=True).exists()
    assert set(User.objects.filter(pk__in=[owner.pk, admin.pk]).values_list("email", flat=True)) == {
        "owner@acme.example",
        "admin@acme.example",
    }


def test_owners_make_owners_and_one_stays(enter: Enter, owner: User, admin: User) -> None:
    client = enter("owner")
    other, own = (Membership.objects.get(user=user) for user in (admin, owner))
    refused = client.post(f"/admin/teams/membership/{own.pk}/change/", {"role": "member"}, follow=True)
    assert b"keeps at least one owner" in refused.content
    # Once, although the transaction of the page took the first one back.
    assert AuditEntry.objects.get(action="member.role.refused").details["reason"].startswith("An organization keeps")
    assert client.post(f"/admin/teams/membership/{other.pk}/change/", {"role": "owner"}).status_code == 302
    other.refresh_from_db()
    assert other.role == "owner"
    assert client.post(f"/admin/teams/membership/{own.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Membership.objects.filter(pk=own.pk).exists()
    assert client.get("/admin/teams/membership/").status_code == 302  # and is out at once


def test_operators_add_accounts_and_organizations(enter: Enter) -> None:
    client = enter("superuser")
    form = {"email": "New@Person.example", "name": "New", "usable_password": "true"}
    passwords = {"password1": make.PASSWORD, "password2": make.PASSWORD}
    assert client.post("/admin/teams/user/add/", form | passwords).status_code == 302
    assert User.objects.get(email="new@person.example").check_password(make.PASSWORD)
    form = {"name": "Third", "slug": "third", "zone": "Mars/Olympus"}
    assert client.post("/admin/teams/organization/add/", form).context["adminform"].form.errors.keys() == {"zone"}
    assert client.post("/admin/teams/organization/add/", form | {"zone": "Asia/Tokyo"}).status_code == 302
    third = Organization.objects.get(slug="third")
    client.post(f"/admin/teams/organization/{third.pk}/change/", {"name": "3rd", "slug": "x", "zone": "UTC"})
    third.refresh_from_db()
    assert (third.name, third.slug, third.zone) == ("3rd", "third", "Asia/Tokyo")
    entries = AuditEntry.objects.filter(organization=third).order_by("pk")
    assert [entry.action for entry in entries] == ["organization.add", "organization.change"]


def test_owners_add_no_organization(enter: Enter) -> None:
    assert enter("owner").get("/admin/teams/organization/add/").status_code == 403


def test_there_is_one_way_to_sign_in(client: Client, owner: User) -> None:
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/sign-in?next=/admin/"
    answers = {"username": owner.email, "password": make.PASSWORD}
    assert client.post("/admin/login/?next=/admin/", answers)["Location"] == "/sign-in?next=/admin/"
    assert "_auth_user_id" not in client.session
    client.force_login(owner)
    assert client.get("/admin/login/")["Location"] == reverse("admin:index")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Unassigned", "Reports use this name"),
        ("two\nlines", "one line"),
        ("a\u2028b", "one line"),
        ("Ads", "of this name already"),
        ("Search once", "an earlier name of the team Search"),
        ("   ", "This field is required"),
    ],
)
def test_names_that_no_team_may_have(
    enter: Enter, acme: Organization, search: Team, ads: Team, name: str, says: str
) -> None:
    Team.objects.create(organization=acme, name="Search once", merged_into=search)
    client, before = enter("admin"), list(Team.objects.order_by("pk").values())
    for path, owner in (("add/", {"organization": acme.pk}), (f"{ads.pk}/change/", {})):
        if name == "Ads" and path != "add/":
            continue  # its own
        page = client.post(f"/admin/teams/team/{path}", {"name": name, "claimed": "on", **inlines(path), **owner})
        assert page.status_code == 200, path
        assert says in str(page.context["adminform"].form.errors["name"]), path
    assert list(Team.objects.order_by("pk").values()) == before


def inlines(path: str) -> dict[str, int]:
    """What the forms of members and recipients send; they are not there while a team is added."""
    names = ("memberships", "recipients") if path != "add/" else ()
    return {f"{name}-{field}_FORMS": 0 for name in names for field in ("TOTAL", "INITIAL")}


def test_a_team_that_is_renamed_keeps_its_traffic_and_aliases_are_not_offered(
    enter: Enter, acme: Organization, ads: Team
) -> None:
    client = enter("admin")
    path = f"/admin/teams/team/{ads.pk}/change/"
    assert client.post(path, {"name": "Adverts", "claimed": "on", **inlines(path)}).status_code == 302
    assert Team.objects.get(name="Ads").merged_into == Team.objects.get(name="Adverts") == ads
    assert AuditEntry.objects.filter(action="team.rename", target="Adverts").count() == 1
    alias = Team.objects.get(name="Ads")
    assert client.get(f"/admin/teams/team/{alias.pk}/change/").status_code == 302
    account = make.virtual_account(acme)
    chosen = {"team": alias.pk}
    page = client.post(f"/admin/teams/virtualaccount/{account.pk}/change/", chosen)
    assert page.context["adminform"].form.errors.keys() == {"team"}
