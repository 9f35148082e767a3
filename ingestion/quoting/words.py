"""What an entry of the price book and its place in the history are, in words for people."""

from ingestion.models import PriceEntry
from ingestion.models.prices import MANUAL, MatchKind
from ingestion.pricing.arithmetic import STANDARD
from ingestion.pricing.catalogues.base import CATALOGUE
from ingestion.quoting.history import Period


def condition(tier: str, above: int) -> str:
    """A service tier and a context limit in words; "" = the standard ones."""
    parts = [f"service tier {tier}"] if tier != STANDARD else []
    return ", ".join([*parts, *([f"above {above:,} input tokens"] if above else [])])


def origin(entry: PriceEntry) -> str:
    """Whose entry it is, where it came from, and which models it speaks of."""
    whose = "own" if entry.organization_id else "everybody's"
    by = "by hand" if entry.source == MANUAL else entry.source.removeprefix(CATALOGUE)
    kind = MatchKind(entry.match_kind).label if entry.match_kind in MatchKind.values else entry.match_kind
    match = "" if entry.match_kind == MatchKind.EXACT else f", {kind} {entry.model_match}"
    provider = ", any provider" if entry.provider == "*" else ""
    return f"{whose}, {by}{match}{provider}"


def change(one: Period) -> str:
    """How much more or less than before; "" when there was no price, or the same one."""
    if one.before is None or one.entry.price is None or not one.before or one.entry.price == one.before:
        return ""
    ratio = (one.entry.price - one.before) / one.before * 100
    return f"{ratio:+.{1 if abs(ratio) < 10 else 0}f} %"
