"""Proof that a domain is an organization's, against a DNS server on loopback."""

import socket
from collections.abc import Iterator
from importlib import import_module
from threading import Thread
from typing import Final

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from metricsportal.lib import txt_records
from teams import services
from teams.models import AuditEntry, IdentityProvider, Organization, ProviderDomain, User
from tests.teams.sso.conftest import Arrive, Connect, Provider, signed_in_as
from tests.teams.sso.test_settings import HERE, form

CHECK: Final = HERE + "/domain"
DOMAIN: Final = "acme.example"


class Names:
    """A DNS server: the texts that it has by domain, None for one that does not exist."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str] | None] = {}
        self.code = dns.rcode.NOERROR
        self.asked: list[str] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            data, peer = self.socket.recvfrom(4096)
            if data == b"end":
                return
            self.socket.sendto(self._answer(dns.message.from_wire(data)).to_wire(), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name = question.name.to_text().rstrip(".")
        self.asked.append(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        answer.set_rcode(self.code)
        found = self.texts.get(name)
        if found is None and self.code == dns.rcode.NOERROR:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if found:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", *(f'"{one}"' for one in found)))
        return answer

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"end", self.socket.getsockname())
        self.thread.join(10)
        self.socket.close()


@pytest.fixture
def names(settings: Settings) -> Iterator[Names]:
    """The server that the portal asks."""
    one = Names()
    settings.DNS_SERVERS = [one.server]
    yield one
    one.stop()


@pytest.fixture
def claimed(acme_sso: IdentityProvider) -> ProviderDomain:
    """acme.example, which nobody has proven."""
    ProviderDomain.objects.update(proof="", proven_at=None)
    return ProviderDomain.objects.get()


def _check(owner: User, domain: str = DOMAIN) -> tuple[int, str]:
    client = Client()
    client.force_login(owner)
    answer = client.post(CHECK, {"domain": domain}, follow=True)
    return answer.status_code, answer.content.decode()


def test_an_unproven_domain_leads_nobody_and_lets_nobody_in(
    claimed: ProviderDomain, acme_sso: IdentityProvider, arrive: Arrive, client: Client
) -> None:
    assert services.provider_of_email(f"ann@{DOMAIN}") is None
    page = client.post("/sign-in", {"username": f"ann@{DOMAIN}"})
    assert b"password" in page.content
    assert acme_sso.issuer.encode() not in page.content
    answer = arrive(acme_sso, "t-1", client, email=f"ann@{DOMAIN}")
    assert (answer.status_code, signed_in_as(client)) == (403, None)
    assert b"not proven yet" in answer.content
    assert not User.objects.filter(email=f"ann@{DOMAIN}").exists()


def test_a_record_proves_it(
    claimed: ProviderDomain, owner: User, names: Names, acme_sso: IdentityProvider, arrive: Arrive, client: Client
) -> None:
    signed = Client()
    signed.force_login(owner)
    shown = signed.get(HERE).content.decode()
    assert claimed.record in shown
    assert "not proven" in shown
    names.texts[DOMAIN] = ["v=spf1 -all", claimed.record]
    status, page = _check(owner)
    assert status == 200
    assert "is proven" in page
    assert "proven by DNS" in page
    assert names.asked == [DOMAIN]
    row = ProviderDomain.objects.get()
    assert row.proof == "dns"
    assert row.proven_at is not None
    entry = AuditEntry.objects.get(action="sign_in.domain", details__proof="dns")
    assert (entry.actor, entry.target, entry.details) == (owner, DOMAIN, {"proof": "dns"})
    assert services.provider_of_email(f"ann@{DOMAIN}") == acme_sso
    assert arrive(acme_sso, "t-1", client, email=f"ann@{DOMAIN}").status_code == 302
    _check(owner)
    assert names.asked == [DOMAIN]  # what is proven is not asked for again


@pytest.mark.parametrize(
    ("texts", "code", "words"),
    [
        (None, dns.rcode.NOERROR, "has no TXT record"),
        ([], dns.rcode.NOERROR, "has no TXT record"),
        (["v=spf1 -all"], dns.rcode.NOERROR, "has no TXT record"),
        (["metricsportal-verification=other"], dns.rcode.NOERROR, "which is another one"),
        (["x metricsportal-verification=TOKEN"], dns.rcode.NOERROR, "has no TXT record"),
        (["metricsportal-verification=TOKENx"], dns.rcode.NOERROR, "which is another one"),
        (["metricsportal-verification=<script>"], dns.rcode.NOERROR, "&lt;script&gt;"),
        (["metricsportal-verification=TOKEN"], dns.rcode.SERVFAIL, "did not answer"),
        (["metricsportal-verification=TOKEN"], dns.rcode.REFUSED, "did not answer"),
    ],
)
def test_what_is_no_proof(
    claimed: ProviderDomain, owner: User, names: Names, texts: list[str] | None, code: dns.rcode.Rcode, words: str
) -> None:
    names.texts[DOMAIN] = None if texts is None else [one.replace("TOKEN", claimed.token) for one in texts]
    names.code = code
    status, page = _check(owner)
    assert status == 400
    assert words in page
    assert ProviderDomain.objects.get().proof == ""
    assert not AuditEntry.objects.filter(action="sign_in.domain", details__proof="dns").exists()


def test_a_server_that_is_silent(
    claimed: ProviderDomain, owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(txt_records, "SECONDS", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        settings.DNS_SERVERS = [f"127.0.0.1:{silent.getsockname()[1]}"]
        status, page = _check(owner)
    assert status == 400
    assert "did not answer" in page


def test_a_domain_is_one_organizations(
    claimed: ProviderDomain, rival: Organization, connect: Connect, owner: User, names: Names
) -> None:
    """Others may name it as long as nobody has proven it; their token is another one."""
    other = connect(rival, "rival.example")
    theirs = ProviderDomain.objects.create(provider=other, domain=DOMAIN)
    assert theirs.token != claimed.token
    names.texts[DOMAIN] = [theirs.record]
    assert "which is another one" in _check(owner)[1]
    services.confirm_domain(organization=rival, domain=DOMAIN, now=timezone.now())
    names.texts[DOMAIN] = [claimed.record, theirs.record]
    status, page = _check(owner)
    assert status in (400, 409)
    assert "Another organization" in page
    assert services.provider_of_email(f"ann@{DOMAIN}") == other
    assert AuditEntry.objects.filter(action="sign_in.domain.refused", actor=owner).exists()


def test_owners_alone_have_domains_checked(claimed: ProviderDomain, admin: User, owner: User, names: Names) -> None:
    names.texts[DOMAIN] = [claimed.record]
    assert _check(admin)[0] == 403
    assert names.asked == []
    status, page = _check(owner, "metricsportal.example")
    assert status == 400
    assert "not among those" in page
    assert names.asked == []


def test_saving_again_keeps_tokens_and_proofs(
    claimed: ProviderDomain, owner: User, at: Provider, client: Client, names: Names
) -> None:
    names.texts[DOMAIN] = [claimed.record]
    _check(owner)
    client.force_login(owner)
    for issuer in (at.url, at.url.replace("127.0.0.1", "localhost")):  # another issuer is another row
        client.post(HERE, form(at, issuer=issuer, domains=f"{DOMAIN} new.example", grants=""))
        rows = ProviderDomain.objects.values_list("domain", "proof", "token")
        assert [(domain, proof, token == claimed.token) for domain, proof, token in rows] == [
            (DOMAIN, "dns", True),
            ("new.example", "", False),
        ]
    client.post(HERE, form(at, issuer=issuer, domains="new.example", grants=""))
    client.post(HERE, form(at, issuer=issuer, domains=DOMAIN, grants=""))
    assert ProviderDomain.objects.get().proof == ""  # given up, and claimed anew
    assert ProviderDomain.objects.get().token != claimed.token


def test_the_operator_confirms(claimed: ProviderDomain, acme: Organization, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("confirm_domain", DOMAIN, organization="acme")
    assert "acme" in capsys.readouterr().out
    row = ProviderDomain.objects.get()
    assert row.get_proof_display() == "confirmed by the operator"
    assert AuditEntry.objects.filter(action="sign_in.domain", actor=None, details__proof="operator").exists()
    with pytest.raises(CommandError, match="not among those"):
        call_command("confirm_domain", "absent.example", organization="acme")


def test_domains_in_use_before_count_as_confirmed(claimed: ProviderDomain) -> None:
    import_module("teams.migrations.0008_proven_domains").confirm(apps, None)
    row = ProviderDomain.objects.get()
    assert (row.proof, row.proven_at is not None) == ("operator", True)
    assert row.token != claimed.token


@pytest.mark.parametrize(
    ("server", "parts"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
    ],
)
def test_servers_are_addresses(server: str, parts: tuple[str, int]) -> None:
    assert txt_records._parts(server) == parts


def test_a_server_that_is_no_address_does_not_answer() -> None:
    with pytest.raises(txt_records.NoAnswerError):
        txt_records.texts_of(DOMAIN, ["dns.example.com"])
