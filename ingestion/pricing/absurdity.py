"""Slips of the decimal point: a price by hand that is thousands of times what the catalogues say, or a thousandth."""

from decimal import Decimal
from typing import Final

from django.db.models import Q

from ingestion.models import PriceEntry
from ingestion.models.prices import MatchKind
from ingestion.pricing.catalogues.base import CATALOGUE, Key
from ingestion.pricing.loading import entry_of
from ingestion.pricing.matching import ANY_PROVIDER
from ingestion.pricing.plausibility import TIMES_THE_CATALOGUE, most, unit
from teams.models import Organization

_OTHER_UNIT: Final = "Is the price meant for another number of tokens?"


def absurd(price: Decimal, key: Key, organization: Organization | None) -> str | None:
    """Why a price by hand is refused, as a sentence; None = it is believed."""
    known = _newest(key, organization)
    if known is not None and known.price:
        how = _far_from(price, known.price)
        if how is None:
            return None
        return (
            f"{_plain(price)} is {how} the newest price of {known.model_match} in "
            f"{known.source.removeprefix(CATALOGUE)}: {_plain(known.price)} {unit(key.token_class)}. {_OTHER_UNIT}"
        )
    if price <= most(key.token_class):
        return None
    return (
        f"{_plain(price)} is more than {_plain(most(key.token_class))} {unit(key.token_class)}, which no known model "
        f"costs, and no catalogue has a price of this one. {_OTHER_UNIT}"
    )


def _far_from(price: Decimal, listed: Decimal) -> str | None:
    """How far a price is from the catalogue's; None = near enough, or free.

    A thousandth is what somebody copies from a list per thousand tokens, so that border itself is too far.
    """
    if price > listed * TIMES_THE_CATALOGUE:
        return f"more than {TIMES_THE_CATALOGUE:,} times"
    return "a thousandth or less of" if 0 < price <= listed / TIMES_THE_CATALOGUE else None


def _newest(key: Key, organization: Organization | None) -> PriceEntry | None:
    """The newest imported price of the class that speaks of the model, for those whom the new price is for."""
    entries = (
        PriceEntry.objects.filter(Q(organization=None) | Q(organization=organization))
        .filter(source__startswith=CATALOGUE, token_class=key.token_class, price__isnull=False)
        .order_by("-effective_from", "-id")
    )
    if key.provider != ANY_PROVIDER:
        entries = entries.filter(provider__in=(key.provider, ANY_PROVIDER))
    same = entries.filter(match_kind=key.match_kind, model_match=key.model_match).first()
    if same is not None or key.match_kind != MatchKind.EXACT:
        return same
    patterns = entries.exclude(match_kind=MatchKind.EXACT)
    return next((each for each in patterns if entry_of(each).matches(each.provider, key.model_match)), None)


def _plain(price: Decimal) -> str:
    return f"{price.normalize():,f}"
