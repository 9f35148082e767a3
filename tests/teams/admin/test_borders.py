"""Nothing of another organization is shown, found or changed in the administration, whoever asks and however."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from teams.admin.borders import path_to_organization
from teams.admin.scoped import ScopedAdmin
from teams.models import (
    ApiKey,
    AuditEntry,
    Membership,
    Organization,
    Team,
    TeamMembership,
    User,
    VirtualAccount,
)
from tests.teams.admin.conftest import MODELS, Enter

pytestmark = pytest.mark.urls("tests.teams.urls")
MANAGERS = ["owner", "admin"]


def name_of(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def changelist(model: type[Model]) -> str:
    return reverse(f"admin:{name_of(model)}_changelist")


def pages_of(row: Model) -> list[str]:
    return [reverse(f"admin:{name_of(type(row))}_{page}", args=[row.pk]) for page in ("change", "delete", "history")]


def rows_of(model: type[Model], slug: str) -> list[Model]:
    path = path_to_organization(admin.site, model)
    slugs = f"{path}__slug" if path != "pk" else "slug"
    return list(model._default_manager.filter(**{slugs: slug}))


def own_pages() -> Iterator[str]:
    """Every list, search, form, confirmation and history of acme."""
    yield reverse("admin:index")
    for model in MODELS:
        yield changelist(model)
        yield changelist(model) + "?q=rival"
        yield changelist(model) + "?q=e"
        yield reverse(f"admin:{name_of(model)}_add")
        for row in rows_of(model, "acme"):
            yield from pages_of(row)


def test_every_registered_model_is_scoped() -> None:
    assert all(isinstance(each, ScopedAdmin) for each in admin.site._registry.values())


@pytest.mark.parametrize("persona", [*MANAGERS, "finance"])
def test_no_page_names_another_organization(persona: str, enter: Enter) -> None:
    client = enter(persona)
    shown = 0
    for page in own_pages():
        response = client.get(page)
        body = re.sub(r'(value="|q=|q%3D)rival', "", response.content.decode())  # the search term comes back
        assert response.status_code in {200, 302, 403}, page
        assert "rival" not in body.lower(), page
        shown += response.status_code == 200
    assert shown > 10


@pytest.mark.parametrize("persona", MANAGERS)
def test_managers_see_their_own_rows(persona: str, enter: Enter) -> None:
    client = enter(persona)
    for model, text in (
        (Organization, "Acme Works"),
        (Membership, "furniture@acme.example"),
        (User, "furniture@acme.example"),
        (Team, "Search"),
        (VirtualAccount, "acme bot"),
        (ApiKey, "acme key"),
        (AuditEntry, "acme.act"),
    ):
        page = client.get(changelist(model))
        assert page.status_code == 200
        assert text in page.content.decode()


def test_operators_see_all(enter: Enter) -> None:
    client = enter("superuser")
    for model in MODELS:
        body = client.get(changelist(model)).content.decode().lower()
        assert "rival" in body
        assert "acme" in body


def test_finance_looks_at_teams_and_not_at_people(enter: Enter) -> None:
    client = enter("finance")
    statuses = {model: client.get(changelist(model)).status_code for model in MODELS}
    assert statuses == {
        Organization: 200,
        Team: 200,
        VirtualAccount: 200,
        Membership: 403,
        User: 403,
        ApiKey: 403,
        AuditEntry: 403,
    }
    team = Team.objects.get(name="Search")
    assert client.post(pages_of(team)[0], {"name": "Renamed"}).status_code == 403
    assert client.get(reverse("admin:teams_team_add")).status_code == 403


@pytest.mark.parametrize("persona", ["manager", "viewer", "member", "nobody"])
def test_roles_that_manage_nothing_stay_outside(persona: str, enter: Enter) -> None:
    client = enter(persona)
    for page in own_pages():
        response = client.get(page, follow=True)
        assert response.status_code == 403, page


def test_visitors_are_sent_to_sign_in(client: Client) -> None:
    for page in own_pages():
        assert client.get(page)["Location"].startswith("/admin/login/?next="), page


@pytest.mark.parametrize("model", MODELS)
def test_foreign_rows_look_absent(model: type[Model], enter: Enter) -> None:
    client = enter("owner")
    before = list(model._default_manager.order_by("pk").values())
    rows = rows_of(model, "rival")
    assert rows
    for row in rows:
        absent = type(row)(pk=987_654)
        for page, other in zip(pages_of(row), pages_of(absent), strict=True):
            for method in (client.get, client.post):
                found, missing = method(page), method(other)
                assert found.status_code == missing.status_code
                assert found.status_code in {302, 403}
    assert list(model._default_manager.order_by("pk").values()) == before


@pytest.mark.parametrize(
    "query",
    [
        "organization__name__startswith=R",
        "team__organization__name__startswith=R",
        "team__name__contains=a",
        "owner__password__startswith=md5",
        "user__password__startswith=md5",
        "password__startswith=md5",
        "digest__startswith=a",
        "organization__memberships__user__email=x",
        "name__contains=a",
        "_connector=OR",
        "actor__password__contains=a",
    ],
)
def test_conditions_on_hidden_fields_are_refused(query: str, enter: Enter) -> None:
    client = enter("owner")
    for model in MODELS:
        response = client.get(f"{changelist(model)}?{query}")
        assert response.status_code in {302, 400}, model


def test_filters_offer_and_find_only_the_own(
    enter: Enter, rival: Organization, acme: Organization, furniture: Team
) -> None:
    client = enter("owner")
    foreign = client.get(f"{changelist(Team)}?organization__id__exact={rival.pk}")
    assert foreign.status_code == 200
    assert {team.organization for team in foreign.context["cl"].result_list} <= {acme}
    own = client.get(f"{changelist(Team)}?organization__id__exact={acme.pk}")
    assert own.context["cl"].result_count == 1
    assert furniture.name not in client.get(changelist(VirtualAccount)).content.decode()


def test_autocomplete_offers_only_the_own(enter: Enter) -> None:
    client = enter("owner")
    url = reverse("admin:autocomplete") + "?app_label=teams&model_name=virtualaccount&field_name=team"
    for term in ("", "search", "rival", "%", "_"):
        texts = {each["text"] for each in client.get(f"{url}&term={term}").json()["results"]}
        assert texts <= {"Search"}
    assert [each["text"] for each in client.get(url).json()["results"]] == ["Search"]


def test_foreign_keys_do_not_cross(enter: Enter, acme: Organization, rival: Organization, furniture: Team) -> None:
    client = enter("owner")
    add = reverse("admin:teams_virtualaccount_add")
    for given in (
        {"organization": acme.pk, "name": "new", "team": furniture.pk},
        {"organization": rival.pk, "name": "new"},
        {"organization": "", "name": "new"},
    ):
        page = client.post(add, given)
        assert page.status_code == 200
        assert page.context["adminform"].form.errors
        assert "rival" not in page.content.decode().lower()
    assert not VirtualAccount.objects.filter(name="new").exists()


def test_not_even_operators_cross(enter: Enter, acme: Organization, search: Team, furniture: Team) -> None:
    client = enter("superuser")
    page = client.post(
        reverse("admin:teams_virtualaccount_add"), {"organization": acme.pk, "name": "new", "team": furniture.pk}
    )
    assert page.context["adminform"].form.errors == {"team": ["Choose one of the same organization."]}
    stranger = User.objects.get(email="furniture@rival.example")
    page = client.post(pages_of(search)[0], team_form(search, user=stranger.pk))
    assert page.status_code == 200
    assert not TeamMembership.objects.filter(team=search, user=stranger).exists()


def test_a_row_never_moves(enter: Enter, search: Team, acme: Organization, rival: Organization) -> None:
    client = enter("superuser")
    client.post(pages_of(search)[0], team_form(search, organization=rival.pk, name="Moved"))
    search.refresh_from_db()
    assert (search.name, search.organization) == ("Moved", acme)


def test_what_a_form_let_through_is_not_stored(owner: User, rival: Organization) -> None:
    """The second guard, behind the choices of the form: a row of others, and one of nobody."""
    request = RequestFactory().post("/")
    request.user = owner
    known = admin.site.get_model_admin(VirtualAccount)
    for foreign in (VirtualAccount(organization=rival, name="new"), VirtualAccount(name="new")):
        with pytest.raises(PermissionDenied):
            known.save_model(request, foreign, form=None, change=False)
    assert not VirtualAccount.objects.filter(name="new").exists()


def test_members_and_recipients_of_a_team(enter: Enter, search: Team, member: User, outsider: User) -> None:
    client = enter("owner")
    Team.objects.filter(pk=search.pk).update(claimed=False)
    page = client.post(pages_of(search)[0], team_form(search, user=outsider.pk, claimed=""))
    assert page.status_code == 200
    assert not TeamMembership.objects.filter(user=outsider).exists()
    assert client.post(pages_of(search)[0], team_form(search, user=member.pk, claimed="")).status_code == 302
    assert TeamMembership.objects.filter(team=search, user=member, role="viewer").exists()
    search.refresh_from_db()
    assert search.claimed
    entry = AuditEntry.objects.get(action="team.change")
    assert (entry.organization, entry.actor) == (search.organization, User.objects.get(email="owner@acme.example"))


def team_form(team: Team, **changes: object) -> dict[str, object]:
    """The form of a team with one new member, `user`, and without the rows it has."""
    existing = team.memberships.get(user__email__startswith="furniture")
    recipient = team.recipients.get()
    form: dict[str, object] = {
        "name": team.name,
        "claimed": "on",
        "memberships-TOTAL_FORMS": 2 if "user" in changes else 1,
        "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": existing.pk,
        "memberships-0-team": team.pk,
        "memberships-0-user": existing.user_id,
        "memberships-0-role": "manager",
        "memberships-1-team": team.pk,
        "memberships-1-user": changes.pop("user", ""),
        "memberships-1-role": "viewer",
        "recipients-TOTAL_FORMS": 1,
        "recipients-INITIAL_FORMS": 1,
        "recipients-0-id": recipient.pk,
        "recipients-0-team": team.pk,
        "recipients-0-email": recipient.email,
        "recipients-0-monthly": "on",
        "recipients-0-attachment": "csv",
    }
    return form | changes


@pytest.mark.parametrize("persona", ["owner", "superuser"])
def test_pages_carry_no_inline_script_or_style(persona: str, enter: Enter) -> None:
    client = enter(persona)
    for page in own_pages():
        body = client.get(page).content.decode()
        assert re.findall(r"<style|<script>|\sstyle=|\son\w+=|javascript:", body) == [], page
