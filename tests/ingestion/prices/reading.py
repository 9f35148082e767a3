"""Short forms of catalogues, for tests."""

from decimal import Decimal

from ingestion.pricing.catalogues.base import Catalogue, Key

Lines = dict[tuple[object, ...], list[tuple[str | None, str | None]]]


def plain(price: Decimal | None) -> str | None:
    return None if price is None else f"{price.normalize():f}"


def lines(catalogue: Catalogue) -> Lines:
    """Every proposed line with its prices: day (None = undated) and USD."""
    return {
        short(key): [(f"{point.since:%Y-%m-%d}" if point.since else None, plain(point.price)) for point in points]
        for key, points in catalogue.prices.items()
    }


def short(key: Key) -> tuple[object, ...]:
    """A key without what is usual."""
    usual = {"match_kind": "exact", "service_tier": "standard", "context_above": 0}
    return tuple(value for name, value in key._asdict().items() if usual.get(name) != value)


def undated(catalogue: Catalogue) -> dict[tuple[object, ...], str | None]:
    """The same for catalogues without dates."""
    found = lines(catalogue)
    assert all(len(points) == 1 and points[0][0] is None for points in found.values())
    return {key: points[0][1] for key, points in found.items()}


def reasons(catalogue: Catalogue) -> dict[str, str]:
    """What was skipped and why."""
    assert len({one.what for one in catalogue.skipped}) == len(catalogue.skipped)
    return {one.what: one.reason for one in catalogue.skipped}
