"""Two tenants with one of everything, and everybody who asks; every name tells whom it belongs to.

`Zebrafish` is in every text of the other organization, `Quokka` in every text of the other team of acme, `Wombat` in
those of acme that nobody outside may read, `Narwhal` in what belongs to one person who never asks. Ids that stand in
addresses carry none of them: refusals repeat addresses.
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from analytics import rollups
from analytics.chargeback import closing
from analytics.models import Annotation, ExchangeRate, ExportJob, OutboxMail, SavedView, Statement
from ingestion.models import (
    AttributeRule,
    CostPolicy,
    IngestBatch,
    LLMRequest,
    MetadataKey,
    ModelAlias,
    RepriceRun,
)
from teams import services
from teams.models import ApiKey, Invitation, Membership, Organization, ReportRecipient, Team, TeamMembership, User
from teams.services import IssuedKey, audit
from tests import make
from tests.access import extras, neighbour

RIVAL, OTHER, OURS, PRIVATE = "Zebrafish", "Quokka", "Wombat", "Narwhal"
ABSENT: Final = 10**15
SPENT: Final = datetime(2026, 10, 15, 12, tzinfo=UTC)
CLOSED: Final = datetime(2026, 11, 20, tzinfo=UTC)
_CONTENT: Final = {
    "startTs": "2026-10-01T00:00:00Z",
    "endTs": "now",
    "type": "distribution",
    "aggregations": [{"type": "count", "column": "failures"}],
    "groupBy": ["team", "modelName"],
}


@dataclass
class Things:
    """Ids that addresses name, of one side: one's own, another team's, another organization's, or of nobody."""

    slug: str
    rows: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.rows[name]

    def number(self, thing: str, column: str = "pk") -> Any:
        """What an address says for that thing; of nobody's things an id that does not exist."""
        if not self.rows:
            return {"request_id": "absent-1", "number": "absent-2026-10-9"}.get(
                column, uuid.UUID(int=1) if thing in ("upload", "export", "provider") else ABSENT
            )
        row = self.rows.get(thing)
        return ABSENT if row is None else getattr(row, column)


@dataclass
class World:
    """Everything by side, and how everybody asks: a person in a browser or a header."""

    acme: Organization
    rival: Organization
    sides: dict[str, Things]
    people: dict[str, User]
    keys: dict[str, IssuedKey]


def furnish(organization: Organization, team: Team, mark: str, prefix: str) -> dict[str, Any]:
    """One of everything that belongs to a team, named after `mark`; numbers of requests begin with `prefix`."""
    person = make.team_member(team, "viewer", email=f"{mark}.person@{mark}.example".lower())
    User.objects.filter(pk=person.pk).update(name=f"{mark} person")
    recipient = ReportRecipient.objects.create(team=team, email=f"{mark}.reports@{mark}.example".lower())
    account = make.virtual_account(organization, f"{mark} account", team=team)
    for at in (SPENT, make.NOW - timedelta(hours=1)):
        stored = _request(organization, team, mark, f"{prefix}-{at:%m}", at)
    note = Annotation.objects.create(
        organization=organization, team=team, kind="deploy", at=make.NOW, text=f"{mark} note", created_by=person
    )
    view = SavedView.objects.create(
        organization=organization, team=team, name=f"{mark} view", kind="metrics_query", content=_CONTENT
    )
    return {
        "team": team,
        "user": person,
        "member": Membership.objects.get(user=person),
        "recipient": recipient,
        "team_member": TeamMembership.objects.get(user=person),
        "account": account,
        "request": stored,
        "annotation": note,
        "view": view,
        "board": SavedView.objects.create(
            organization=organization, team=team, name=f"{mark} board", kind="dashboard", content={"by": "user"}
        ),
        "invitation": _invitation(organization, team, mark),
        "key": _named_key(organization, person, mark),
        "export": extras.export(organization, person, team, mark),
        "upload": extras.upload(organization, mark),
        "bill": extras.bill(organization, mark),
        "sharing": extras.sharing(account, team),
        **extras.budget(organization, team, person, mark),
    }


def _request(organization: Organization, team: Team, mark: str, request_id: str, at: datetime) -> LLMRequest:
    return make.request(
        organization,
        now=make.NOW,
        request_id=request_id,
        started_at=at,
        team=team.name,
        user=f"{mark} caller",
        virtual_account=f"{mark} account",
        model=extras.model_of(mark),
        virtual_model=f"={mark}-virtual",
        provider=f"{mark}-provider".lower(),
        metadata={f"{mark}-key": f"{mark}-value", neighbour.KEY: "1"},
        trace_id=f"{mark}-trace",
        status_code=500,
        error_type=f"{mark}Error",
        error_message=f"{mark} failed",
    )


def _invitation(organization: Organization, team: Team, mark: str) -> Invitation:
    return services.invite(
        actor=None,
        organization=organization,
        email=f"{mark}.invited@{mark}.example".lower(),
        role="member",
        team=team,
        now=make.NOW,
    ).invitation


def _named_key(organization: Organization, person: User, mark: str) -> ApiKey:
    key = make.key(organization, owner=person).key
    ApiKey.objects.filter(pk=key.pk).update(name=f"{mark} key")
    return ApiKey.objects.get(pk=key.pk)


def administer(organization: Organization, things: dict[str, Any], mark: str) -> None:
    """Rows of the organization itself: what only its managers see."""
    actor, team = things["user"], things["team"]
    audit.record(organization=organization, actor=actor, action=f"{mark}.act".lower(), target=f"{mark} target")
    row = LogEntry.objects.create(
        user=actor,
        content_type=ContentType.objects.get_for_model(Team),
        object_id=str(team.pk),
        object_repr=f"{mark} history",
        action_flag=CHANGE,
    )
    assert row.pk
    things |= {
        "organization": organization,
        "rule": AttributeRule.objects.create(organization=organization, attribute=f"{mark}.attribute", target="user"),
        "price": make.price(f"{mark}-priced", "input", "1", organization=organization, note=f"{mark} note"),
        "adjustment": make.adjustment(organization, "discount", "1", note=f"{mark} note", model_match=f"{mark}-priced"),
        "alias": ModelAlias.objects.create(organization=organization, model_match=f"{mark}-x", model=f"{mark}-y"),
        "policy": CostPolicy.objects.create(
            organization=organization,
            note=f"{mark} note",
            effective_from=make.LONG_AGO + timedelta(days=len(mark)),
        ),
        "rate": ExchangeRate.objects.create(
            organization=organization,
            currency="EUR",
            rate=len(mark),
            effective_from=make.LONG_AGO + timedelta(days=len(mark)),
            note=f"{mark} rate",
        ),
        "reprice": RepriceRun.objects.create(
            organization=organization,
            start=SPENT,
            end=CLOSED,
            price_book_version=1,
            requested_by=actor,
            reason=f"{mark} reason",
            state="previewed",
        ),
        "batch": IngestBatch.objects.filter(organization=organization).latest("pk"),
        "audit": organization.audit_entries.latest("pk"),
    }


def statements(organization: Organization, *earlier: date) -> dict[int, Statement]:
    """October, closed as the earlier months are; the statement of each team, with a mail that waits."""
    for month in (*earlier, date(2026, 10, 1)):
        closing.close(organization=organization, month=month, now=CLOSED)
    found = Statement.objects.filter(period=organization.periods.latest("month"), team__isnull=False)
    return {one.team_id: one for one in found if one.team_id}


def dimensions(things: dict[str, Any]) -> dict[str, Any]:
    """Rows that came with the request."""
    stored = things["request"]
    key = stored.organization.pk
    return {
        "model": stored.model,
        "virtual_model": stored.virtual_model,
        "gateway_user": stored.user,
        "error_type": stored.error_type,
        "metadata_key": MetadataKey.objects.get(organization_id=key, name=next(iter(stored.metadata))),
    }


def complete(things: dict[str, Any], statement: Statement) -> None:
    """Adds what follows from the others."""
    things |= {"statement": statement, "period": statement.period, **dimensions(things)}
    things["mail"] = OutboxMail.objects.filter(statement=statement).get()


def people(acme: Organization, search: Team, ads: Team, rival: Organization) -> dict[str, User]:
    """Everybody who signs in; a disabled owner signed in before."""
    found = {role: make.member(acme, role, email=f"{role}@acme.example") for role in ("owner", "admin", "finance")}
    return found | {
        "disabled": make.member(acme, "owner", email="disabled@acme.example"),
        "manager": make.team_member(search, "manager", email="manager@acme.example"),
        "viewer": make.team_member(search, "viewer", email="viewer@acme.example"),
        "other_team": make.team_member(ads, "viewer", email=f"{OTHER}.viewer@acme.example".lower()),
        "member": make.member(acme, email="member@acme.example"),
        "outsider": make.member(rival, "admin", email=f"{RIVAL}.admin@{RIVAL}.example".lower()),
        "nobody": make.user("nobody@example.com"),
        "superuser": make.user("operator@example.com", is_superuser=True),
    }


def keys(acme: Organization, search: Team, found: dict[str, User]) -> dict[str, IssuedKey]:
    """Keys of every kind; those that end do so after they were made."""
    fallen = make.member(acme, "admin", email="fallen@acme.example")
    gone = make.member(acme, "admin", email="gone@acme.example")
    owner = found["owner"]
    made = {
        "ingest_key": make.key(acme, "ingest", owner=owner),
        "read_key": make.key(acme, "read", "export", owner=owner),
        "team_key": make.key(acme, "read", "export", owner=owner, team=search),
        "revoked_key": make.key(acme, "ingest", "read", "export", owner=owner),
        "expired_key": make.key(acme, "ingest", "read", "export", owner=owner),
        "demoted_key": make.key(acme, "read", "export", owner=fallen),
        "removed_key": make.key(acme, "read", "export", owner=gone),
        "rival_key": make.key(Organization.objects.get(slug="rival"), "read", "export", owner=found["outsider"]),
    }
    ApiKey.objects.filter(pk=made["revoked_key"].key.pk).update(revoked_at=make.NOW - timedelta(days=1))
    ApiKey.objects.filter(pk=made["expired_key"].key.pk).update(expires_at=make.NOW - timedelta(days=1))
    Membership.objects.filter(user=fallen).update(role="member")
    Membership.objects.filter(user=gone).delete()
    return made


def build() -> World:
    """Fills the database."""
    acme = make.organization("acme", name=f"{OURS} Works", zone="Europe/Berlin")
    rival = make.organization("rival", name=f"{RIVAL} Works")
    search, ads = make.team(acme, neighbour.SHARED), make.team(acme, f"{OTHER} team")
    theirs = make.team(rival, f"{RIVAL} team")
    sides = {
        "own": Things("acme", furnish(acme, search, OURS, "own")),
        "team": Things("acme", furnish(acme, ads, OTHER, "team")),
        "foreign": Things("rival", furnish(rival, theirs, RIVAL, "foreign")),
    }
    nobodys = Things("absent")
    # The other organization first: without a condition on it, its rows are found first.
    for name, organization, mark in (("foreign", rival, RIVAL), ("own", acme, OURS)):
        administer(organization, sides[name].rows, mark)
        sides[name].rows["provider"] = extras.provider(organization, 10 - len(name))
    neighbour.precede(acme, rival, sides["foreign"].rows, RIVAL)
    rollups.drain()
    frozen = statements(rival, date(2026, 8, 1), date(2026, 9, 1)) | statements(acme)
    for side in sides.values():
        complete(side.rows, frozen[side["team"].pk])
    neighbour.follow(acme, rival, sides["own"]["board"])
    found = people(acme, search, ads, rival)
    private = sides["team"]["user"]
    SavedView.objects.create(
        organization=acme, owner=private, name=f"{PRIVATE} view", kind="metrics_query", content=_CONTENT
    )
    ExportJob.objects.filter(pk=sides["own"]["export"].pk).update(by=found["viewer"], caller="viewer@acme.example")
    sides |= {"absent": nobodys, "elsewhere": Things("acme", neighbour.third(acme, found))}
    return World(acme, rival, sides, found, keys(acme, search, found))
