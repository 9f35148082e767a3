"""What a model cost when: the price book's entries that speak of it, for people who keep prices."""

from datetime import datetime
from typing import Any, Final

from analytics.dashboards.costs import price_url
from ingestion.models import LLMModel
from ingestion.pricing.plausibility import unit
from ingestion.quoting.comparing import label
from ingestion.quoting.history import Period, Standing, timeline
from ingestion.quoting.speaking import Speaking, book, plain, prices
from ingestion.quoting.words import change, condition, origin
from metricsportal.lib.localtime import zone
from teams.access import Scope
from teams.models import Organization
from teams.roles import Capability

MOST: Final = 20
"""Rows on the page; of more, the newest, and a link to all of them."""


def history(scope: Scope, name: str, now: datetime) -> dict[str, Any] | None:
    """The prices of a model, newest first, with a link to its page in the price book; None for who keeps no prices.

    A name that several providers serve has the prices of each of them.
    """
    if not scope.allows(Capability.MANAGE_PRICES):
        return None
    organization = Organization.objects.get(pk=scope.organization_id)
    served = LLMModel.objects.filter(organization=organization, name=name).order_by("provider")
    providers = [one.provider for one in served] or [""]
    found = Speaking(book(organization), [name], organization)
    rows: dict[int, dict[str, Any]] = {}
    for provider in providers:
        speaking = found.of(provider, name)
        winners = {one.known.stored.pk for one in prices(speaking, now) if one.known}
        for period in timeline(speaking, winners, now):
            if period.standing is not Standing.CORRECTED:
                rows.setdefault(period.entry.pk, _row(period, scope))
    ordered = sorted(rows.values(), key=lambda one: one["order"], reverse=True)
    return {
        "url": price_url(scope.organization_id, providers[0] if len(providers) == 1 else "", name),
        "rows": ordered[:MOST],
        "left": max(0, len(ordered) - MOST),
    }


def _row(period: Period, scope: Scope) -> dict[str, Any]:
    entry = period.entry
    price = "no price from here on" if entry.price is None else f"${plain(entry.price)}"
    return {
        "order": (entry.effective_from, entry.pk),
        "from": _words(entry.effective_from, scope),
        "class": label(entry.token_class),
        "condition": condition(entry.service_tier, entry.context_above),
        "price": price,
        "unit": unit(entry.token_class).removeprefix("USD ") if entry.price is not None else "",
        "change": change(period),
        "until": _words(period.until, scope) if period.until else None,
        "standing": period.standing.value,
        "holds": period.standing is Standing.IN_FORCE,
        "source": origin(entry),
    }


def _words(moment: datetime, scope: Scope) -> str:
    """In the reporting zone, like everything on the page."""
    return f"{moment.astimezone(zone(scope.zone)):%-d %b %Y %H:%M}"
