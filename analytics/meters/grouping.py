"""Requests of a part of a day, grouped in the database by everything that decides what each of them costs.

Tokens are added up there; where a cost is rounded per request, or the classes of a request do not follow from its
sums, requests are told apart by their counts as well: equal ones are still one row.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from analytics.cells.expressions import MetadataText
from analytics.meters.values import Grain
from ingestion.models import LLMRequest
from ingestion.records import TOKEN_FIELDS, CostState

Facts = QuerySet[LLMRequest]
_KEY: Final = ("team_id", "virtual_account_id", "model_id", "service_tier", "cost_state", "price_book_version")
_COSTS: Final = ("list_cost", "contracted_cost", "cost", "reported_cost")
_OWN_COUNTS: Final = ("operation", *TOKEN_FIELDS, "units")
APART: Final = reduce(
    or_,
    (
        Q(token_anomaly=True),
        Q(units__isnull=False),
        Q(input_tokens__isnull=True),
        Q(output_tokens__isnull=True),
        Q(cache_write_tokens__isnull=True, cache_write_1h_tokens__isnull=False),
    ),
)
"""Requests whose classes do not follow from added up counts."""


class Owner(NamedTuple):
    """Whose requests of which model."""

    team_id: int | None
    account_id: int | None
    model_id: int | None
    virtual_model_id: int | None
    tags: tuple[str | None, ...]


class Group(NamedTuple):
    """Requests that are priced alike. `tokens` are sums, or, where requests are equal, those of one of them.

    `context`: how many of the limits lie below its input tokens.
    """

    team_id: int | None
    account_id: int | None
    model_id: int | None
    tier: str | None
    state: str
    version: int
    context: int
    virtual_model_id: int | None
    tags: tuple[str | None, ...]
    requests: int
    failed: int
    list: int
    contracted: int
    billed: int
    reported: int
    tokens: dict[str, int | None]
    operation: str = ""
    units: dict[str, int] | None = None
    equal: bool = False

    @property
    def owner(self) -> Owner:
        """Whose they are."""
        return Owner(self.team_id, self.account_id, self.model_id, self.virtual_model_id, self.tags)

    @property
    def priced_by(self) -> tuple[Any, ...]:
        """Everything but the counts."""
        return self[: Group._fields.index("requests")]


def groups(facts: Facts, grain: Grain, contexts: Sequence[int]) -> Iterator[Group]:
    """Groups of what is billable, and of failures that cost nothing (their state is `none`)."""
    free = Q(cost_state=CostState.NONE.value)
    yield from _grouped(facts.filter((free & Q(failed=True)) | (~free & ~APART)), grain, contexts, equal=False)
    yield from _grouped(facts.filter(~free & APART), grain, contexts, equal=True)


def equal_groups(facts: Facts, grain: Grain, contexts: Sequence[int], models: Sequence[int]) -> Iterator[Group]:
    """The computed requests of some models once more, equal ones together: for what is rounded one by one."""
    computed = facts.filter(cost_state=CostState.COMPUTED.value, model_id__in=models)
    return _grouped(computed.exclude(APART), grain, contexts, equal=True)


def _virtual(grain: Grain) -> tuple[str, ...]:
    return ("virtual_model_id",) if grain.virtual_model else ()


def _tagged(facts: Facts, grain: Grain) -> tuple[Facts, list[str]]:
    """The aliases are ours, the keys are bound."""
    names = [f"tag_{number}" for number in range(len(grain.tags))]
    return facts.annotate(**{name: MetadataText(key) for name, key in zip(names, grain.tags, strict=True)}), names


def _grouped(facts: Facts, grain: Grain, contexts: Sequence[int], *, equal: bool) -> Iterator[Group]:
    facts, tags = _tagged(facts, grain)
    limits = [When(input_tokens__gt=limit, then=Value(n)) for n, limit in reversed([*enumerate(contexts, 1)])]
    context = Case(*limits, default=Value(0), output_field=IntegerField())
    key = [*_KEY, "limits_passed", *_virtual(grain), *tags, *(_OWN_COUNTS if equal else ())]
    counted = {} if equal else {f"sum_{name}": Sum(name) for name in TOKEN_FIELDS}
    rows = facts.annotate(limits_passed=context).order_by().values(*key)
    rows = rows.annotate(
        number=Count("pk"),
        number_failed=Count("pk", filter=Q(failed=True)),
        **{f"sum_{name}": Sum(F(name)) for name in _COSTS},
        **counted,
    )
    for row in rows.iterator(chunk_size=2_000):
        yield _group(row, tags, equal=equal)


def _group(row: dict[str, Any], tags: Sequence[str], *, equal: bool) -> Group:
    tokens = {name: row[name if equal else f"sum_{name}"] for name in TOKEN_FIELDS}
    listed, contracted, billed, reported = (int(row[f"sum_{name}"] or 0) for name in _COSTS)
    return Group(
        team_id=row["team_id"],
        account_id=row["virtual_account_id"],
        model_id=row["model_id"],
        tier=row["service_tier"],
        state=row["cost_state"],
        version=row["price_book_version"],
        context=row["limits_passed"],
        virtual_model_id=row.get("virtual_model_id"),
        tags=tuple(row[name] for name in tags),
        requests=row["number"],
        failed=row["number_failed"],
        list=listed,
        contracted=contracted,
        billed=billed,
        reported=reported,
        tokens=tokens if equal else {name: int(value or 0) for name, value in tokens.items()},
        operation=row.get("operation", ""),
        units=row.get("units"),
        equal=equal,
    )
