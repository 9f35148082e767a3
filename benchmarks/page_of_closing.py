"""The closing of months in docs/benchmarks.md."""

from typing import Final

from benchmarks.closing import Closed
from benchmarks.markdown import Bar, verdict

SECONDS_BAR: Final = 60.0
_MEBIBYTE: Final = 2**20


def bars_of_closing(closed: Closed) -> list[Bar]:
    """All requests in their months."""
    return [
        (
            f"months of {closed.requests:,} requests and {closed.teams} teams closed in less than {SECONDS_BAR:.0f} s",
            f"{closed.seconds:,.1f} s",
            verdict(closed.seconds < SECONDS_BAR),
        )
    ]


def closing_section(closed: Closed) -> list[str]:
    """What was made, and what it took."""
    database = "unknown" if closed.database is None else f"{closed.database:,.1f} s"
    return [
        "## Closing months",
        (
            f"The {closed.requests:,} requests of the large organization lie in {closed.months} months of its "
            f"reporting zone. `close` of one after the other, in one process: {closed.statements} statements, "
            f"{closed.days} days of rows by team, account, model, virtual model, price and token class, compared with "
            f"the statements to the picodollar, audit and mails: **{closed.seconds:,.1f} s** by the clock, "
            f"{closed.portal:,.1f} s of processor time of the process and {database} of the database server. The "
            f"process grew by {closed.grown / _MEBIBYTE:,.0f} MiB."
        ),
    ]
