"""Who somebody is, behind the policies; and tasks that go over organizations, each inside the border of one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone

from analytics.budgets import alerts, anomalies
from analytics.budgets.webhooks import calls
from ingestion.provisioning import merging
from ingestion.provisioning.kinds import CALLER
from metricsportal.lib import border
from metricsportal.lib.border import Border
from metricsportal.lib.outbound import Answer
from teams import services
from teams.models import AuditEntry, IdentityProvider, Invitation, Membership, Organization, ProviderDomain, User
from teams.services.rules import RuleBrokenError
from tests import make
from tests.budgets.scene import NOW, budget, spend


@contextmanager
def seen_by(table: str) -> Iterator[set[Border]]:
    """The borders in which statements that name the table run inside."""
    borders: set[Border] = set()

    def look(execute: Callable[..., object], sql: str, params: object, many: bool, context: dict[str, Any]) -> object:
        if f'"{table}"' in sql:
            borders.add(border.current())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield borders


@pytest.fixture
def each(acme: Organization, rival: Organization) -> set[Border]:
    """The borders of two organizations, and a worker that sees everything."""
    return {Border(frozenset({one.pk})) for one in (acme, rival)}


@pytest.mark.django_db
def test_budgets_are_looked_at_and_told_inside_one_organization(
    each: set[Border], acme: Organization, rival: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (acme, rival):
        budget(one, webhook="https://hooks.example.com/")
        spend(one, "60")
    with border.everything("as a worker"):
        with seen_by("analytics_budget") as looked:
            assert alerts.look_due(NOW) == 2
        sent: set[Border] = set()

        def exchange(*_: object, **__: object) -> Answer:
            sent.add(border.current())
            return Answer(204, (), b"")

        monkeypatch.setattr(calls, "check_address", str)
        monkeypatch.setattr(calls, "exchange", exchange)
        assert calls.send_due(NOW) == 2
        with seen_by("analytics_anomalywatch") as watched:
            anomalies.find_due(NOW)
    assert looked == sent == watched == each


@pytest.mark.django_db
def test_requests_of_a_merged_name_move_inside_its_organization(acme: Organization, member: User) -> None:
    for name in ("old", "new"):
        make.request(acme, user=name)
    rows = [CALLER.rows(acme).get(name=name) for name in ("old", "new")]
    begun = merging.merge(actor=None, organization=acme, kind=CALLER, row=rows[0], into=rows[1], now=timezone.now())
    with border.everything("as a worker"), seen_by("ingestion_llmrequest") as borders:
        merging.carry_on(begun.pk, clock=timezone.now, steps=10)
    assert borders == {Border(frozenset({acme.pk}))}


@pytest.fixture
def provider(behind: BaseDatabaseWrapper, acme: Organization, rival: Organization) -> IdentityProvider:
    """Of acme, for acme.example; rival has one too."""
    for one in (rival, acme):
        made = IdentityProvider.objects.create(
            organization=one, issuer="https://id.example", client_id="portal", address=uuid4()
        )
        ProviderDomain.objects.create(provider=made, domain=f"{one.slug}.example", proof="operator")
    return made


def test_an_address_leads_to_its_provider(provider: IdentityProvider, client: Client) -> None:
    assert b'name="password"' not in client.get("/sign-in").content  # the e-mail comes first
    leaving = client.post("/sign-in", {"username": "anybody@acme.example"})
    assert f"/sign-in/sso/{provider.address}" in leaving.content.decode()
    assert b'name="password"' in client.post("/sign-in", {"username": "anybody@nowhere.example"}).content


def test_a_provider_lets_people_in(provider: IdentityProvider, acme: Organization) -> None:
    claims = {"sub": "1", "email": "new@acme.example", "email_verified": True}
    Invitation.objects.create(
        organization=acme, email="new@acme.example", role="finance", digest=b"x" * 32, expires_at=timezone.now()
    )
    with border.request():
        found = services.find_provider(provider.address)
        assert found is not None
        user = services.admit(provider=found, claims=claims, now=NOW)
        assert border.current() == border.NOTHING
        with pytest.raises(services.NotAdmittedError, match="of a domain for which"):
            services.admit(provider=found, claims=claims | {"email": "new@rival.example"}, now=NOW)
    assert Membership.objects.filter(organization=acme, user=user).count() == 1


def test_a_domain_of_another_organization_is_refused(
    provider: IdentityProvider, owner: User, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teams.services.providers._ask", lambda issuer: None)
    asked: dict[str, Any] = {
        "issuer": provider.issuer,
        "client_id": "portal",
        "secret": "new",
        "groups_claim": "",
        "vouches": False,
    }
    with border.request():
        border.admit(acme.pk)
        with pytest.raises(ValidationError, match="belongs to another organization"):
            services.save_provider(actor=owner, organization=acme, domains=["rival.example"], grants=[], **asked)
        services.save_provider(actor=owner, organization=acme, domains=["acme.example"], grants=[], **asked)


def test_second_factors_know_every_organization(
    behind: BaseDatabaseWrapper, acme: Organization, rival: Organization, admin: User
) -> None:
    person = make.member(acme)
    Membership.objects.create(organization=rival, user=person, role="member")
    Organization.objects.filter(pk=rival.pk).update(second_factor=True)
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={})
    membership = Membership.objects.get(organization=acme, user=person)
    with border.request():
        border.admit(acme.pk)
        assert services.must_have_factor(person)
        with pytest.raises(PermissionDenied, match="more than your organization"):
            services.remove_factors(actor=admin, membership=membership)
        with pytest.raises(RuleBrokenError, match="asks for a second factor"):
            services.remove_own_factor(user=person, number=Authenticator.objects.get().pk)
        codes = services.new_recovery_codes(user=person)
    assert len(codes) > 0
    told = AuditEntry.objects.filter(action="second_factor.codes").values_list("organization__slug", flat=True)
    assert sorted(told) == ["acme", "rival"]
