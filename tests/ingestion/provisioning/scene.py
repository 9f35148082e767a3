"""What the tests of names share: names by kind, merges from begin to end, and what facts and aggregates add up to."""

from typing import Any, Final

from django.db.models import Count, Sum
from django.utils import timezone

from analytics import rollups
from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import select
from analytics.query.engine import run
from analytics.query.values import Query
from ingestion.models import LLMRequest
from ingestion.provisioning import merging as acts
from ingestion.provisioning.kinds import ACCOUNT, CALLER, KINDS, TEAM, Kind
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Named, Organization, User
from tests import make
from tests.chargeback.scene import day

FIELDS: Final = {TEAM: "team", ACCOUNT: "virtual_account", CALLER: "user"}
EVERY: Final = list(KINDS.values())


def named(kind: Kind, organization: Organization, name: str) -> Any:
    """The row of a name."""
    return kind.rows(organization).get(name=name)


def merge(kind: Kind, organization: Organization, name: str, into: str, actor: User | None = None) -> None:
    """From begin to end."""
    rows: list[Named] = [named(kind, organization, one) for one in (name, into)]
    begun = acts.merge(actor=actor, organization=organization, kind=kind, row=rows[0], into=rows[1], now=timezone.now())
    finish(begun.pk)


def finish(merge_id: int) -> None:
    acts.carry_on(merge_id, clock=timezone.now, steps=10_000)


def by_name(kind: Kind, organization: Organization) -> dict[str | None, int]:
    """Requests of each name, from the facts."""
    rows = LLMRequest.objects.filter(organization=organization).values_list(f"{FIELDS[kind]}__name")
    return dict(rows.annotate(count=Count("pk")))


def totals(organization: Organization) -> tuple[Any, ...]:
    """What no merge may change."""
    rows = LLMRequest.objects.filter(organization=organization)
    return (
        rows.aggregate(Count("pk"), Sum("cost"), Sum("input_tokens"), Sum("output_tokens")),
        sorted(rows.values_list("request_id", "started_at", "cost", "cost_state", "payload_hash")),
    )


def answered(kind: Kind, organization: Organization) -> dict[str, int]:
    """Requests of each name, as the dashboard says."""
    query = Query(
        scope_of_organization(organization),
        TimeRange(day(9, 1), day(11, 30)),
        (select("requests"),),
        (BY_NAME[kind.dimension],),
    )
    result = run(query, make.NOW)
    return {one.labels[0].text: int(one.total[0] or 0) for one in result.series}


def agree(organization: Organization) -> None:
    """Every aggregate is what the facts say."""
    rollups.drain(organization.pk)
    done = rollups.verify(organization, make.NOW)
    assert (done.skipped, done.differences) == (0, ())
