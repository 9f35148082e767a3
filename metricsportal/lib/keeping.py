"""How long what is kept, as numbers of days, and when the night's removal begins. 0 days = for ever."""

from datetime import datetime, time, timedelta
from typing import Final

NIGHTLY: Final = time(3, 40)
"""UTC; after the nightly comparison of aggregates and requests has begun with all that is there."""
FOR_EVER: Final = 0


def days_of(text: str) -> int:
    """`90`, or `0` or `never` for ever. Raises ValueError with a sentence."""
    text = text.strip().lower()
    if text != "never" and not (text.isascii() and text.isdigit() and len(text) < 7):
        raise ValueError(f"PORTAL_KEEP_REQUESTS_DAYS and PORTAL_KEEP_HOURS_DAYS are days or never, not “{text}”.")
    return FOR_EVER if text == "never" else int(text)


def check(requests: int, hours: int, *, past: int, grace: int) -> None:
    """Raise ValueError with a sentence when these numbers of days do not go together.

    `past`: of the ingest window, within which an id is never forgotten, or a repeat would count again. `grace`: until
    a month closes, for which its requests are needed.
    """
    if requests != FOR_EVER and requests <= past + grace:
        raise ValueError(
            f"PORTAL_KEEP_REQUESTS_DAYS is {requests}, but must be above PORTAL_INGEST_PAST_DAYS + "
            f"PORTAL_CLOSE_GRACE_DAYS = {past + grace}: a repeated record could count again. 0 keeps them for ever."
        )
    if hours != FOR_EVER and (requests == FOR_EVER or hours < requests):
        kept = "for ever" if requests == FOR_EVER else f"{requests} days"
        raise ValueError(
            f"PORTAL_KEEP_HOURS_DAYS is {hours}, but requests are kept {kept}, and the hours made of them are kept at "
            "least as long. 0 keeps them for ever."
        )


def next_night(now: datetime) -> datetime:
    """When the removal runs next."""
    today = datetime.combine(now, NIGHTLY, now.tzinfo)
    return today if today > now else today + timedelta(days=1)
