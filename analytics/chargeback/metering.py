"""The rows by token class that are frozen with statements: kept once they cost what the statements say."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from analytics.chargeback.document import Document
from analytics.chargeback.months import ClosingRefusedError, name_of
from analytics.chargeback.usage import StaleError
from analytics.meters import freezing
from analytics.meters.corrections import Pair
from analytics.meters.freezing import Prepared
from analytics.meters.values import SHARED, Amounts, Key, Meter
from analytics.models import Period
from analytics.query.keeping import kept
from metricsportal.lib.timerange import TimeRange
from teams.models import Team

logger = logging.getLogger(__name__)


def freeze_meters(
    period: Period, meters: Prepared | None, statements: Iterable[tuple[Team | None, Document]], now: datetime
) -> None:
    """Keep the rows, in the transaction that closes the month. Raises StaleError when they are not those of it.

    They are read before the transaction, which would hold up ingest on SQLite; without any they are read in it, which
    is the last try. Raises ClosingRefusedError when they do not add up even then: the statements would not charge what
    the requests cost. Once requests were removed nobody can say: the month is closed without rows.
    """
    borders = TimeRange(period.start, period.end)
    costs, adjusted, shared = Counter[Pair](), Counter[Pair](), list[Meter]()
    known = freezing.adjusts_frozen(period.organization_id)
    for team, document in statements:
        shared += _shared(team, document)
        team_id = team.pk if team else None
        for line in document.lines:
            costs[team_id, line.model] += line.amounts.cost
        for line in document.adjustments:
            adjusted[team_id, line.model] += line.amounts.cost if line.adjusts in known else 0
    found = meters or freezing.prepare(period.organization, period.month, borders, now)
    if found.adds_up_to(borders, costs, adjusted):
        freezing.freeze(period, found, shared)
    elif meters is not None:
        raise StaleError
    elif kept(period.organization_id).requests <= period.start:
        raise ClosingRefusedError(
            f"The figures of {name_of(period.month)} are not what its requests cost, so it was not closed. An operator "
            "compares them with manage.py verify_rollups and has them computed anew."
        )
    else:
        logger.warning("%s of %s is closed without rows by token class", period, period.organization)


def _shared(team: Team | None, document: Document) -> Iterator[Meter]:
    """The shared lines of a statement: on the first day of the month that they are of."""
    for line in document.shared:
        key = Key(
            day=(line.adjusts or document.month).isoformat(),
            team_id=team.pk if team else None,
            team=team.name if team else None,
            meter=SHARED,
            adjusts=f"{line.adjusts:%Y-%m}" if line.adjusts else None,
            booked=f"{document.month:%Y-%m}" if line.adjusts else None,
            text=line.text,
        )
        yield Meter(key, Amounts(list=line.cost, contracted=line.cost, billed=line.cost), has_quantity=False)
