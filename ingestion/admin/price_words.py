"""What the pages of the price book say: prices, periods and links as text, so that templates only loop."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ingestion.admin.price_links import again, model_url, price_url
from ingestion.models import PriceEntry
from ingestion.models.prices import MANUAL, MatchKind
from ingestion.pricing.arithmetic import FALLBACK, STANDARD
from ingestion.pricing.catalogues.base import CATALOGUE
from ingestion.pricing.plausibility import unit
from ingestion.quoting.comparing import label
from ingestion.quoting.history import Period, Standing
from ingestion.quoting.speaking import Known, Priced, Speaking, plain, prices
from ingestion.quoting.traffic import Model
from ingestion.quoting.words import change, condition, origin
from metricsportal.lib.formats import NO_VALUE, compact, exact, share, usd
from teams.models import Organization

COLUMNS: Final = ("input", "cache_read", "cache_write", "output")
"""Classes with a column of their own in the list of models."""


class Row(NamedTuple):
    """A model in the list."""

    name: str
    provider: str
    url: str
    requests: str
    cost: str
    state: str
    state_kind: str
    prices: list[str]
    others: str
    since: str
    change: str


class UnpricedRow(NamedTuple):
    """A model with requests that have no cost."""

    name: str
    provider: str
    url: str
    price_url: str
    requests: str
    tokens: str
    first: datetime | None
    last: datetime | None


class ClassRow(NamedTuple):
    """A class of a model with what gives its price."""

    label: str
    price: str
    unit: str
    since: datetime | None
    entry: PriceEntry | None
    from_: str
    why: str
    change: str


class PeriodRow(NamedTuple):
    """An entry in the timeline."""

    entry: PriceEntry
    label: str
    condition: str
    price: str
    change: str
    until: datetime | None
    standing: str
    kind: str
    source: str
    end_url: str
    correct_url: str


def summary(models: Iterable[Model]) -> dict[str, str]:
    """The last 30 days in a sentence's numbers."""
    usages = [one.usage for one in models]
    requests, unpriced = sum(one.requests for one in usages), sum(one.unpriced for one in usages)
    return {
        "models": exact(sum(1 for one in usages if one.requests)),
        "requests": exact(requests),
        "cost": usd(sum(one.cost for one in usages)),
        "unpriced": exact(unpriced) if unpriced else "",
        "share": share(unpriced / requests) if requests else "",
    }


def row(model: Model, speaking: Speaking, organization: Organization | None, now: datetime) -> Row:
    """What a model costs now."""
    table = prices(speaking.of(model.provider, model.name), now) if model.can_be_priced else []
    found = {one.token_class: one for one in table}
    state, kind = _state(model, table)
    rest = [one for one in table if one.known and one.token_class not in COLUMNS]
    since = [one.known.stored.effective_from for one in table if one.known]
    changes = [(one.next_.stored.effective_from, one) for one in table if one.next_]
    return Row(
        name=model.name or "no model named",
        provider=model.provider,
        url=model_url(organization, model) if model.can_be_priced else "",
        requests=exact(model.usage.requests) if model.usage.requests else NO_VALUE,
        cost=_cost(model),
        state=state,
        state_kind=kind,
        prices=[_price(found.get(name)) for name in COLUMNS],
        others=", ".join(f"{label(one.token_class)} {plain(one.price)}" for one in rest),
        since=f"{max(since):%Y-%m-%d}" if since else "",
        change=_coming(changes),
    )


def unpriced_row(model: Model, organization: Organization | None) -> UnpricedRow:
    """A model for the list of what has no price."""
    return UnpricedRow(
        name=model.name or "no model named",
        provider=model.provider,
        url=model_url(organization, model) if model.can_be_priced else "",
        price_url=price_url(organization, model) if model.can_be_priced else "",
        requests=exact(model.unpriced.requests),
        tokens=compact(model.unpriced.tokens),
        first=model.unpriced.first,
        last=model.unpriced.last,
    )


def figures(model: Model) -> list[tuple[str, str]]:
    """What is known of a model's requests."""
    found = [("Requests, 30 days", exact(model.usage.requests)), ("Cost, 30 days", _cost(model))]
    if model.unpriced.requests and model.unpriced.first and model.unpriced.last:
        found += [
            ("Unpriced requests", exact(model.unpriced.requests)),
            ("Their tokens", compact(model.unpriced.tokens)),
            ("Between", f"{model.unpriced.first:%Y-%m-%d} and {model.unpriced.last:%Y-%m-%d}"),
        ]
    return found


def conditions(speaking: Iterable[Known]) -> list[tuple[str, str, int]]:
    """Service tier and context limits under which prices may differ: words, tier, input tokens. Standard first."""
    found = {(one.entry.service_tier, one.entry.context_above) for one in speaking}
    rest = sorted(found - {(STANDARD, 0)}, key=lambda one: (one[0] != STANDARD, one))
    rest = [one for one in rest if one[0] == STANDARD or one[1] == 0 or (one[0], 0) in found]
    return [("", STANDARD, 0), *((condition(tier, above), tier, above + 1 if above else 0) for tier, above in rest)]


def tables(found: Sequence[tuple[str, Sequence[Priced]]]) -> list[tuple[str, list[ClassRow]]]:
    """Of each condition the classes that cost something else than under the standard one."""
    standard = {one.token_class: _pk(one) for one in found[0][1]}
    answer = [("", [_class_row(one) for one in found[0][1] if one.known or one.next_])]
    for title, table in found[1:]:
        rows = [_class_row(one) for one in table if one.known and _pk(one) != standard.get(one.token_class)]
        answer += [(title, rows)] if rows else []
    return answer


def period(one: Period, may_add: bool) -> PeriodRow:
    """A line of the timeline with what may be done about it."""
    entry = one.entry
    return PeriodRow(
        entry=entry,
        label=label(entry.token_class),
        condition=condition(entry.service_tier, entry.context_above),
        price=plain(entry.price),
        change=change(one),
        until=one.until,
        standing=one.standing.value,
        kind=one.standing.name.lower(),
        source=origin(entry),
        end_url=again(entry, price="") if may_add and entry.price is not None and _goes_on(one) else "",
        correct_url=again(entry, at=entry.effective_from, replace="on") if may_add and _may_be_corrected(one) else "",
    )


def fallbacks(table: Sequence[Priced]) -> list[str]:
    """Which classes cost what another one costs, a sentence per class that is asked instead."""
    known = {one.token_class for one in table if one.known}
    answer = []
    for name in (one.token_class for one in table if one.known):
        users = [label(one.token_class) for one in table if _asked(one, known) == name]
        if users:
            answer.append(f"Without a price of their own, as {label(name)}: {', '.join(users)}.")
    return answer


def overrides(organization: Organization, provider: str, name: str) -> list[tuple[PriceEntry, str]]:
    """Entries of teams and accounts for the model, the newest first; they go before all others."""
    entries = PriceEntry.objects.filter(organization=organization).exclude(team=None, virtual_account=None)
    entries = entries.select_related("team", "virtual_account").order_by()
    found = [known.stored for known in Speaking(entries, [name], organization).of(provider, name)]
    found.sort(key=lambda one: (one.effective_from, one.pk), reverse=True)
    return [(entry, plain(entry.price)) for entry in found]


def _state(model: Model, table: Sequence[Priced]) -> tuple[str, str]:
    known = [one.known for one in table if one.known]
    if not known:
        return ("unpriced", "none") if model.can_be_priced else ("cannot be priced", "none")
    best = known[0].stored
    whose = "organization" if best.organization_id else "everybody"
    source = "by hand" if best.source == MANUAL else best.source.removeprefix(CATALOGUE).partition("@")[0]
    match = "exact" if best.match_kind == MatchKind.EXACT else "pattern"
    return f"{whose} · {source} · {match}", "own" if best.organization_id else "shared"


def _coming(changes: Sequence[tuple[datetime, Priced]]) -> str:
    """The first change that is dated already, and how many follow it."""
    if not changes:
        return ""
    at, one = min(changes, key=lambda each: each[0])
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"{label(one.token_class)} {plain(one.next_.stored.price if one.next_ else None)} from {at:%Y-%m-%d}{more}"


def _asked(one: Priced, known: set[str]) -> str:
    """The class whose price a class without its own gets; "" = it has one, or nothing prices it."""
    name = "" if one.known else FALLBACK.get(one.token_class, "")
    while name and name not in known:
        name = FALLBACK.get(name, "")
    return name


def _cost(model: Model) -> str:
    if not model.usage.requests:
        return NO_VALUE
    if model.usage.unpriced == model.usage.requests:
        return "unknown"
    return f"{'at least ' if model.usage.unpriced else ''}{usd(model.usage.cost)}"


def _price(one: Priced | None) -> str:
    return plain(one.price) if one and one.known else NO_VALUE


def _pk(one: Priced) -> int | None:
    return one.known.stored.pk if one.known else None


def _class_row(one: Priced) -> ClassRow:
    entry = one.known.stored if one.known else None
    change = ""
    if one.next_:
        change = f"{plain(one.next_.stored.price)} from {one.next_.stored.effective_from:%Y-%m-%d %H:%M}"
    price = plain(entry.price) if entry else "no price"
    since = entry.effective_from if entry else None
    from_ = origin(entry) if entry else ""
    return ClassRow(label(one.token_class), price, unit(one.token_class), since, entry, from_, one.over, change)


def _goes_on(one: Period) -> bool:
    return one.until is None and one.standing is not Standing.CORRECTED


def _may_be_corrected(one: Period) -> bool:
    return one.standing is not Standing.CORRECTED
