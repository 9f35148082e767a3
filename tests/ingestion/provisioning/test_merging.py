"""Merging: open months follow, closed ones stay, totals and aggregates are the same, traffic goes to what is left."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from analytics import rollups
from analytics.catalog.dimensions import BY_NAME
from analytics.query.suggestions import suggest
from ingestion import services as ingest
from ingestion.models import ChangedHour, GatewayUser, LLMRequest, Merge, Watermark
from ingestion.provisioning import merging as acts
from ingestion.provisioning.kinds import ACCOUNT, CALLER, TEAM, Kind
from ingestion.provisioning.preview import preview
from ingestion.tasks import continue_merges, move_merged
from ingestion.writer import store
from teams import services
from teams.access import scope_of_organization
from teams.models import AuditEntry, Organization, Team, User, VirtualAccount
from tests import make
from tests.chargeback.scene import LATER, OCTOBER, SEPTEMBER, close, day, frozen, spend
from tests.ingestion.provisioning.scene import EVERY, FIELDS, agree, answered, by_name, finish, merge, named, totals

pytestmark = pytest.mark.django_db
by_kind = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name.value)


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(acts.AT_ONCE, connection.vendor, timedelta(days=20))


@by_kind
def test_open_months_follow_and_closed_ones_stay(acme: Organization, kind: Kind) -> None:
    for month in (9, 10, 11):
        for name in ("old", "old", "new"):
            spend(acme, day(month), "2", **{FIELDS[kind]: name})
    close(acme, SEPTEMBER)
    before, statements = totals(acme), frozen()
    old, new = named(kind, acme, "old"), named(kind, acme, "new")
    foreseen = preview(acme, kind, old)
    assert [(one.month, one.requests, one.cost) for one in foreseen.months] == [
        ("2026-10", 2, 4 * 10**12),
        ("2026-11", 2, 4 * 10**12),
    ]
    assert (foreseen.total.requests, foreseen.total.cost, foreseen.closed) == (4, 8 * 10**12, ["2026-09"])
    assert by_name(kind, acme) == {"old": 6, "new": 3}  # looking changes nothing
    merge(kind, acme, "old", "new")
    assert by_name(kind, acme) == {"old": 2, "new": 7}
    assert {*LLMRequest.objects.filter(**{kind.column: old.pk}).values_list("started_at__month", flat=True)} == {9}
    assert (totals(acme), frozen()) == (before, statements)
    agree(acme)
    assert answered(kind, acme) == {"old": 2, "new": 7}
    spend(acme, day(11, 20), **{FIELDS[kind]: "old"})  # late, and under the name of before
    assert by_name(kind, acme) == {"old": 2, "new": 8}
    new.refresh_from_db()
    assert new.claimed
    entries = AuditEntry.objects.filter(action__startswith=kind.name.value).order_by("pk")
    assert list(entries.values_list("action", "target")) == [
        (f"{kind.name.value}.merge", "old"),
        (f"{kind.name.value}.merged", "old"),
    ]
    assert entries[1].details == {"into": "new", "requests": 4}
    assert entries[0].details["into"] == "new"


@pytest.mark.parametrize("seed", range(2))
def test_any_merges_in_any_order_keep_every_total(acme: Organization, rival: Organization, seed: int) -> None:
    dice = random.Random(seed)
    names = ["ann", "bob", "cem", "dan"]
    for organization in (acme, rival):
        sent = [
            make.record(
                started_at=day(dice.choice((9, 10, 11)), dice.choice((3, 20))),
                reported_cost_usd=Decimal(dice.randrange(9)),
                **{field: dice.choice([*names, None]) for field in FIELDS.values()},
            )
            for _ in range(30)
        ]
        ingest.ingest_records(organization=organization, records=sent, source="test", now=LATER, past_days=None)
    rollups.drain()
    close(acme, SEPTEMBER)
    before = {one.pk: totals(one) for one in (acme, rival)}
    kept = {kind: by_name(kind, rival) for kind in EVERY}
    begun = []
    for _ in range(5):
        kind = dice.choice(EVERY)
        rows = list(kind.rows(acme).filter(merged_into=None))
        if len(rows) > 1:
            row, into = dice.sample(rows, 2)
            one = acts.merge(actor=None, organization=acme, kind=kind, row=row, into=into, now=timezone.now())
            begun.append(one.pk)
            acts.carry_on(dice.choice(begun), clock=timezone.now, steps=dice.randrange(3))
            spend(acme, day(11, 3), None, **{FIELDS[kind]: row.name})
            before[acme.pk] = totals(acme)
    continue_merges()
    assert {one.pk: totals(one) for one in (acme, rival)} == before
    assert {kind: by_name(kind, rival) for kind in EVERY} == kept
    for kind in EVERY:
        gone = kind.rows(acme).exclude(merged_into=None)
        assert not gone.filter(merged_into__merged_into__isnull=False).exists()
        assert not LLMRequest.objects.filter(
            **{f"{kind.column}__in": gone.values("pk")}, started_at__gte=day(10, 1)
        ).exists()
    for organization in (acme, rival):
        agree(organization)


@by_kind
def test_what_cannot_be_merged_changes_nothing(
    acme: Organization, rival: Organization, admin: User, finance: User, kind: Kind
) -> None:
    for organization in (acme, rival):
        for name in ("old", "new", "third"):
            spend(organization, day(11), **{FIELDS[kind]: name})
    merge(kind, acme, "third", "new")
    rows = {name: named(kind, acme, name) for name in ("old", "new", "third")}
    foreign = named(kind, rival, "new")
    AuditEntry.objects.all().delete()
    before = [list(kind.rows(one).order_by("pk").values()) for one in (acme, rival)]
    for actor, row, into, says in (
        (admin, rows["old"], rows["old"], "into itself"),
        (admin, rows["old"], foreign, "not there any more"),
        (admin, foreign, rows["old"], "not there any more"),
        (admin, rows["third"], rows["old"], "third is an earlier name of new"),
        (admin, rows["old"], rows["third"], "third is an earlier name of new"),
        (finance, rows["old"], rows["new"], "does not allow"),
    ):
        with pytest.raises((ValidationError, PermissionDenied), match=says):
            acts.merge(actor=actor, organization=acme, kind=kind, row=row, into=into, now=timezone.now())
    assert [list(kind.rows(one).order_by("pk").values()) for one in (acme, rival)] == before
    assert Merge.objects.count() == 1
    # What was not there may be a mistyped number; what nobody may do is kept.
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "actor__email", "target")) == [
        (f"{kind.name.value}.merge.refused", "admin@acme.example", "old"),
        (f"{kind.name.value}.merge.refused", "admin@acme.example", "third"),
        (f"{kind.name.value}.merge.refused", "admin@acme.example", "old"),
        (f"{kind.name.value}.merge.refused", "finance@acme.example", "old"),
    ]


def test_a_team_that_says_who_sees_what_is_not_merged_away(acme: Organization, search: Team, admin: User) -> None:
    other = make.team(acme)
    make.team_member(search)
    make.key(acme, team=search)
    services.invite(
        actor=None, organization=acme, email="new@x.example", role="member", team=search, now=timezone.now()
    )
    with pytest.raises(ValidationError, match="Search still has members and open invitations and keys"):
        acts.merge(actor=admin, organization=acme, kind=TEAM, row=search, into=other, now=timezone.now())
    merge(TEAM, acme, other.name, "Search")  # the other way round nobody's rights change


def test_accounts_and_callers_of_a_merged_team_belong_to_what_is_left(acme: Organization, ads: Team) -> None:
    old = make.team(acme, "old")
    make.virtual_account(acme, "bot", team=old)
    GatewayUser.objects.create(organization=acme, name="ann", team=old)
    merge(TEAM, acme, "old", "Ads")
    GatewayUser.objects.filter(name="ann").update(team=old)  # as if given in the moment of the merge
    for fields in ({"virtual_account": "bot"}, {"user": "ann"}, {"team": "old"}):
        assert spend(acme, day(11), **fields).team == ads
    assert VirtualAccount.objects.get().team == ads


def test_a_batch_that_was_prepared_before_a_merge_finds_the_name_that_is_left(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend(acme, day(11), team="old")
    spend(acme, day(11), team="new")
    calls, write = [], store.write

    def late(batch: store.Batch) -> store.Outcome:
        calls.append(batch)
        if len(calls) == 1:
            merge(TEAM, acme, "old", "new")
        return write(batch)

    monkeypatch.setattr(ingest, "write", late)
    spend(acme, day(11, 16), team="old")
    assert len(calls) == 2  # the names were looked up again
    assert by_name(TEAM, acme) == {"new": 3}


def test_a_merge_goes_on_where_a_worker_was_lost(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(acts.AT_ONCE, connection.vendor, timedelta(hours=1))
    for number in (1, 5, 9):
        spend(acme, day(11, number), user="old")
    spend(acme, day(11), user="new")
    begun = acts.merge(
        actor=None,
        organization=acme,
        kind=CALLER,
        row=named(CALLER, acme, "old"),
        into=named(CALLER, acme, "new"),
        now=timezone.now(),
    )
    ChangedHour.objects.all().delete()
    assert acts.carry_on(begun.pk, clock=timezone.now, steps=1) == 1
    assert by_name(CALLER, acme) == {"old": 2, "new": 2}
    assert list(ChangedHour.objects.values_list("hour_start", flat=True)) == [day(11, 1)]
    assert move_merged(begun.pk) == 3
    assert by_name(CALLER, acme) == {"new": 4}
    begun.refresh_from_db()
    assert (begun.moved, begun.finished_at is not None) == (3, True)
    finish(begun.pk)  # again changes nothing
    assert AuditEntry.objects.filter(action="caller.merged").count() == 1


def test_requests_that_are_being_removed_stay_with_their_name(acme: Organization) -> None:
    for month in (10, 11):
        spend(acme, day(month), virtual_account="old")
    spend(acme, day(11), virtual_account="new")
    Watermark.objects.create(organization=acme, subject=Watermark.Subject.REQUESTS, before=day(11, 1, 0))
    assert preview(acme, ACCOUNT, named(ACCOUNT, acme, "old")).total.requests == 1
    merge(ACCOUNT, acme, "old", "new")
    assert by_name(ACCOUNT, acme) == {"old": 1, "new": 2}


@by_kind
def test_a_name_that_was_changed_goes_on_in_traffic(acme: Organization, admin: User, kind: Kind) -> None:
    spend(acme, day(11), **{FIELDS[kind]: "first"})
    row = named(kind, acme, "first")
    assert not row.claimed
    for name in ("second", "third", "first", "second"):
        services.rename_name(actor=admin, organization=acme, row=row, name=name)
        for sent in ("first", "second" if name == "second" else name):
            spend(acme, day(11), **{FIELDS[kind]: sent})
    assert by_name(kind, acme) == {"second": 9}
    rows = kind.rows(acme).values_list("name", "merged_into", "claimed")
    assert sorted(rows) == [("first", row.pk, True), ("second", None, True), ("third", row.pk, True)]
    offered, _ = suggest(scope_of_organization(acme), BY_NAME[kind.dimension], "", 0, 10)
    assert [one.value for one in offered] == ["second"]
    other = {"second": "already", "third": "earlier name of the .* second", "FIRST\n": None, "(other)": "Reports use"}
    spend(acme, day(11), **{FIELDS[kind]: "other"})
    for name, says in other.items():
        if says:
            with pytest.raises(ValidationError, match=says):
                services.rename_name(actor=admin, organization=acme, row=named(kind, acme, "other"), name=name)
    assert named(kind, acme, "other").claimed is False


def test_closed_months_are_those_of_the_moment(acme: Organization) -> None:
    for month in (9, 10):
        spend(acme, day(month), team="old")
    spend(acme, day(11), team="new")
    rows = [named(TEAM, acme, name) for name in ("old", "new")]
    begun = acts.merge(actor=None, organization=acme, kind=TEAM, row=rows[0], into=rows[1], now=timezone.now())
    rollups.drain()
    close(acme, SEPTEMBER)
    close(acme, OCTOBER)
    finish(begun.pk)
    assert by_name(TEAM, acme) == {"old": 2, "new": 1}
