"""November 2026 of the small world, closed: what the tests of its statements share."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Final

from django.test import Client

from analytics.chargeback import closing
from teams.models import Organization, User

LIST: Final = "/o/acme/statements/"
NOVEMBER: Final = date(2026, 11, 1)
LATER: Final = datetime(2026, 12, 5, 12, tzinfo=UTC)
"""The grace of November is over."""
HOSTILE: Final = "<img src=x onerror=alert(1)>"


def close(organization: Organization, month: date = NOVEMBER) -> None:
    """Freeze the statements of the month."""
    closing.close(organization=organization, month=month, now=LATER)


def enter(client: Client, person: User, path: str = LIST) -> str:
    """What the person reads there."""
    client.force_login(person)
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def table(content: str) -> list[list[str]]:
    """A CSV file, its byte order mark left out."""
    return list(csv.reader(io.StringIO(content.removeprefix("\ufeff"), newline="")))
