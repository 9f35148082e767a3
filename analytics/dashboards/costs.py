"""The cost check: what requests cost, what has no price, and the gateway's figures beside the price book's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse

from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import Unit, select
from analytics.currency import Rate, rate_at
from analytics.dashboards.listing import PAGE_SIZE, rank
from analytics.dashboards.page import emptiness, head_of, problem_of
from analytics.dashboards.panels import at_least, text
from analytics.dashboards.state import State, parse
from analytics.dashboards.tables import converted_words
from analytics.query import engine
from analytics.query.parsing import filter_of, filter_text
from analytics.query.snapshot import snapshot
from analytics.query.values import LabelKind, Query, RefusedQueryError, Result, Series, Value
from ingestion.pricing.matching import ANY_PROVIDER
from metricsportal.lib import formats
from teams.access import Reach, Scope
from teams.roles import Capability

MEASURES: Final = (
    "requests",
    "priced_share",
    "unpriced_requests",
    "unpriced_tokens",
    "list_cost_usd",
    "contracted_cost_usd",
    "cost_usd",
    "reported_cost_usd",
    "compared_requests",
    "compared_list_cost_usd",
    "compared_reported_cost_usd",
    "reported_to_list",
)
_SELECTIONS: Final = tuple(select(name) for name in MEASURES)
_COLUMNS: Final = (
    ("requests", "Requests", Unit.COUNT),
    ("unpriced_requests", "Unpriced", Unit.COUNT),
    ("priced_share", "Priced", Unit.SHARE),
    ("unpriced_tokens", "Unpriced tokens", Unit.TOKENS),
    ("list_cost_usd", "Price book", Unit.USD),
    ("contracted_cost_usd", "Contracted", Unit.USD),
    ("cost_usd", "Billed", Unit.USD),
    ("reported_cost_usd", "Gateway", Unit.USD),
    ("difference_usd", "Difference", Unit.USD),
    ("difference_share", "in %", Unit.SHARE),
)
_LOWERED: Final = frozenset({"list_cost_usd", "contracted_cost_usd", "cost_usd"})
"""Amounts to which a request without a price adds nothing."""
UNPRICED: Final = "cost_state:eq:unpriced"
"""The filter that leaves what has no price."""
Values = dict[str, Value]


@dataclass(frozen=True, slots=True)
class _Read:
    """The answers of the page: everything by group, and the providers of each unpriced model."""

    listed: Result
    providers: dict[str, list[str]]
    rate: Rate | None


def build(params: QueryDict, scope: Scope, now: datetime) -> dict[str, Any]:
    """Everything the page shows for a URL's parameters, to this viewer."""
    state = parse(params, scope, now)
    head = head_of(state, scope, now) | {"empty": None, "empty_hint": {}, "problem": None, "csv": _csv(state)}
    if scope.reach is Reach.NOTHING:
        return head | {"empty": "no_permission"}
    try:
        found = _ask(state, scope, now)
    except RefusedQueryError as error:
        return head | {"problem": problem_of(error)}
    if not found.listed.summary.total_requests:
        empty, hint = emptiness(state, scope)
        return head | {"empty": empty, "empty_hint": hint}
    return head | {
        "summary": _summary(found),
        "table": _table(found, state, params.get("sort", "")[:64], scope.organization_id),
    }


def price_url(organization_id: int, provider: str, model: str) -> str:
    """Where a person sets the price of a model: its own page, or the form for one entry where there is none."""
    owner = {"organization": organization_id, "provider": provider or ANY_PROVIDER}
    try:
        return f"{reverse('admin:ingestion_priceentry_price')}?{urlencode(owner | {'model': model})}"
    except NoReverseMatch:
        return f"{reverse('admin:ingestion_priceentry_add')}?{urlencode(owner | {'model_match': model})}"


def _ask(state: State, scope: Scope, now: datetime) -> _Read:
    query = Query(
        scope=scope,
        period=state.period,
        selections=_SELECTIONS,
        group_by=(state.dimension,),
        filters=state.filters,
        limit=None,
        other=False,
    )
    with snapshot():
        listed = engine.run(query, now)
        prices = state.view == "model" and scope.allows(Capability.MANAGE_PRICES) and listed.meta.unpriced_requests
        providers = _providers(query, now) if prices else {}
        return _Read(listed, providers, rate_at(scope.organization_id, state.period.end))


def _providers(query: Query, now: datetime) -> dict[str, list[str]]:
    """Of each model with requests that have no price: the providers that served them, "" = none was sent."""
    groups = (BY_NAME["model"], BY_NAME["provider"])
    split = Query(
        scope=query.scope,
        period=query.period,
        selections=(select("unpriced_requests"),),
        group_by=groups,
        filters=query.filters,
        limit=None,
        other=False,
    )
    found: dict[str, list[str]] = {}
    for one in engine.run(split, now).series:
        model, provider = one.labels
        if one.total[0] and model.kind is LabelKind.VALUE:
            found.setdefault(model.text, []).append(provider.text if provider.kind is LabelKind.VALUE else "")
    return found


def _csv(state: State) -> str:
    """The same table as a report, without the organization."""
    borders = (("start", state.period.start.isoformat()), ("end", state.period.end.isoformat()))
    filters = (("filter", filter_text(one)) for one in state.filters)
    asked = (("group_by", state.dimension.name), ("measures", ",".join(MEASURES)), ("format", "csv"))
    return urlencode((*borders, *asked, *filters))


def _values(one: Series) -> Values:
    found: Values = dict(zip(MEASURES, one.total, strict=True))
    listed, reported = found["compared_list_cost_usd"], found["compared_reported_cost_usd"]
    share = found["reported_to_list"]
    return found | {
        "difference_usd": None
        if listed is None or reported is None or not found["compared_requests"]
        else reported - listed,
        "difference_share": None if share is None else share - 1,
    }


def _text(name: str, unit: Unit, found: Values) -> str:
    value = found[name]
    if name == "difference_usd":
        return "equal" if value == 0 else _signed(value, text(value, unit))
    if name == "difference_share":
        return "" if value == 0 else _signed(value, _percent(value))
    words = text(value, unit)
    return at_least(words, value, unit, found["unpriced_requests"]) if name in _LOWERED else words


def _percent(value: Value) -> str:
    if value is None:
        return formats.share(None)
    return formats.share(value) if value > 0 else f"-{formats.share(-value)}"


def _signed(value: Value, words: str) -> str:
    return f"+{words}" if value is not None and value > 0 else words


def _summary(found: _Read) -> dict[str, Any]:
    """The totals of the range in words."""
    whole, meta = _values(found.listed.summary), found.listed.meta
    unpriced = meta.unpriced_requests
    amounts = {
        name: {"text": text(whole[name], Unit.USD), "at_least": bool(unpriced) and whole[name] is not None}
        for name in ("cost_usd", "list_cost_usd")
    }
    return amounts | {
        "converted": converted_words(whole["cost_usd"], unpriced, found.rate, meta.zone),
        "coverage": "nothing billable" if meta.priced_share is None else f"{formats.share(meta.priced_share)} priced",
        "unpriced": unpriced,
        "compared": formats.exact(int(whole["compared_requests"] or 0)),
        "requests": formats.exact(found.listed.summary.total_requests),
    }


def _table(found: _Read, state: State, sort: str, organization_id: int) -> dict[str, Any]:
    """One page of the table: what needs a look comes first unless a column is chosen."""
    groups = [(one, _values(one)) for one in found.listed.series if one.total_requests]
    column = sort.removeprefix("-")
    chosen = column in {name for name, _, _ in _COLUMNS}
    groups.sort(key=lambda pair: pair[0].labels[0].text)
    if chosen:
        groups.sort(key=lambda pair: rank(pair[1][column], descending=sort.startswith("-")))
    else:
        groups.sort(key=lambda pair: _trouble(pair[1]))
    pages = max(1, -(-len(groups) // PAGE_SIZE))
    page = min(state.page, pages)
    shown = groups[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    whole = _values(found.listed.summary)
    return {
        "columns": [{"name": name, "label": label} for name, label, _ in _COLUMNS],
        "rows": [_row(one, values, found, state, organization_id) for one, values in shown],
        "total": {name: _text(name, unit, whole) for name, _, unit in _COLUMNS},
        "sort": sort if chosen else "",
        "page": page,
        "pages": pages,
        "priceable": bool(found.providers),
    }


def _trouble(found: Values) -> tuple[float, ...]:
    """Most unpriced requests first, then the largest difference, then the most expensive."""
    names = ("unpriced_requests", "unpriced_tokens", "difference_usd", "cost_usd")
    return tuple(-abs(found[name] or 0) for name in names)


def _row(one: Series, found: Values, read: _Read, state: State, organization_id: int) -> dict[str, Any]:
    label = one.labels[0]
    only = filter_of(state.dimension.name, label)
    providers = read.providers.get(label.text, []) if label.kind is LabelKind.VALUE else []
    return {
        "label": label.text,
        "filter": only,
        "unpriced": bool(found["unpriced_requests"]),
        "differs": bool(found["difference_usd"]),
        "requests": _requests_query(state, only),
        "compared": formats.exact(int(found["compared_requests"] or 0)),
        "texts": {name: _text(name, unit, found) for name, _, unit in _COLUMNS},
        "prices": [
            {"provider": provider, "url": price_url(organization_id, provider, label.text)} for provider in providers
        ],
    }


def _requests_query(state: State, only: str | None) -> str:
    """The dashboard's parameters that show the unpriced requests of a group."""
    filters = dict.fromkeys([*(filter_text(one) for one in state.filters), *([only] if only else []), UNPRICED])
    borders = (("from", state.start_text), ("to", state.end_text))
    return urlencode((*borders, *(("f", one) for one in filters)), safe=":,")
