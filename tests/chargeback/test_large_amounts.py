"""Statements of more money than 64 bits of picodollars hold."""

from decimal import Decimal

from django.db import connection

from analytics.models import Statement, StatementLine
from teams.models import Organization, Team
from tests import make
from tests.chargeback.scene import OCTOBER, close


def test_a_month_of_ten_million_dollars_is_closed(acme: Organization, search: Team) -> None:
    for number in range(2):
        make.request(
            acme,
            request_id=f"huge-{number}",
            team="Search",
            started_at=make.NOW.replace(month=10, day=10 + number),
            model="unlisted",
            reported_cost_usd=Decimal("8999999.5"),
        )
    close(acme, OCTOBER)
    statement = Statement.objects.get(team=search)
    assert statement.document["total"]["cost_usd"] == "17999999"
    if connection.vendor == "postgresql":  # SQLite keeps fifteen digits in the column, see PicodollarField
        assert statement.cost == StatementLine.objects.get(statement=statement).cost == 17_999_999 * 10**12
