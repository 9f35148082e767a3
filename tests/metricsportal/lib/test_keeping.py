"""Days that go together, and nights."""

from datetime import UTC, datetime

import pytest

from metricsportal.lib.keeping import check, days_of, next_night


@pytest.mark.parametrize(("text", "days"), [("90", 90), ("0", 0), ("never", 0), (" Never ", 0)])
def test_days_are_a_number_or_never(text: str, days: int) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize("text", ["", "-1", "90d", "1.5", "٣", "nan", "9" * 40])
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ValueError, match="are days or never"):
        days_of(text)


@pytest.mark.parametrize(("requests", "hours"), [(90, 400), (39, 39), (39, 0), (0, 0), (90, 90)])
def test_what_goes_together(requests: int, hours: int) -> None:
    check(requests, hours, past=35, grace=3)


@pytest.mark.parametrize(
    ("requests", "hours", "said"),
    [
        (38, 400, "must be above PORTAL_INGEST_PAST_DAYS . PORTAL_CLOSE_GRACE_DAYS = 38"),
        (1, 0, "could count again"),
        (90, 89, "requests are kept 90 days"),
        (0, 400, "requests are kept for ever"),
    ],
)
def test_what_does_not(requests: int, hours: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(requests, hours, past=35, grace=3)


@pytest.mark.parametrize(
    ("now", "night"),
    [((10, 3, 39), (10, 3, 40)), ((10, 3, 40), (11, 3, 40)), ((10, 23, 0), (11, 3, 40))],
)
def test_the_next_night_is_later(now: tuple[int, int, int], night: tuple[int, int, int]) -> None:
    assert next_night(datetime(2026, 12, *now, tzinfo=UTC)) == datetime(2026, 12, *night, tzinfo=UTC)
