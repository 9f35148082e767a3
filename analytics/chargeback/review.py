"""A month for those who close it: what each team is charged, what is missing, and whether it adds up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from analytics.chargeback import months
from analytics.chargeback.adjustments import said_of
from analytics.chargeback.document import Document, from_json
from analytics.chargeback.drafting import Draft, drafts
from analytics.chargeback.presentation import cost_text, plain_cost, shown, signed, sum_of_charges
from analytics.chargeback.shared import words_of
from analytics.chargeback.usage import Amounts, StaleError, total, usage
from analytics.models import Period
from metricsportal.lib import formats
from metricsportal.lib.localtime import local_date, zone
from metricsportal.lib.money import usd_text
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization, ReportRecipient

_LATE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One team of the month. "": no `corrections`, nothing `shared`, everything has a price (`unpriced`)."""

    team: str
    number: str
    requests: str
    used: str
    corrections: str
    shared: str
    charged: str
    change: str | None
    unpriced: str
    recipients: int


@dataclass(frozen=True, slots=True)
class Source:
    """What was taken off in all, and is given to others, for one source and rule; exact US dollars."""

    text: str
    adjusts: str
    taken: str
    given: str


@dataclass(frozen=True, slots=True)
class Sums:
    """Exact US dollars of a closed month: stated + corrected + pending = stored."""

    stated: str
    corrected: str
    pending: str
    stored: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class Review:
    """The page of a month. `rows` is empty where nothing was used."""

    month: date
    name: str
    state: months.State
    says: str
    rows: tuple[TeamRow, ...] = ()
    requests: str = ""
    used: str = ""
    corrections: str = ""
    charged: str = ""
    unpriced_requests: int = 0
    coverage: str = ""
    mails: int = 0
    unmailed: tuple[str, ...] = ()
    shared: tuple[Source, ...] = ()
    shared_given: str = ""
    shared_sum: str = ""
    """Exact; of shared lines over all statements: zero."""
    sums: Sums | None = None
    stale: bool = False
    itemised: bool = True
    """Whether the rows by token class of a closed month are kept."""

    @property
    def text(self) -> str:
        """2026-10, as in addresses."""
        return f"{self.month:%Y-%m}"

    @property
    def may_close(self) -> bool:
        """Whether the month is over and its figures are complete."""
        return self.state is months.State.GRACE and not self.stale


def review(organization: Organization, month: date, now: datetime) -> Review | None:
    """The month as its statements say, or would say if it were closed now; None before its first day."""
    period = Period.objects.filter(organization=organization, month=month, closed_at__isnull=False).first()
    if period is not None:
        return _closed(period, now)
    borders = months.borders(organization, month)
    if now <= borders.start:
        return None
    running = now < borders.end
    state = months.State.OPEN if running else months.State.GRACE
    head = Review(month, months.name_of(month), state, _says(organization, borders, now, running=running))
    draft = Period(organization=organization, month=month, zone=organization.zone)
    draft.start, draft.end = borders.start, min(borders.end, now)
    try:
        found = drafts(draft, now).drafts
    except StaleError:
        return replace(head, stale=True)
    return _filled(head, found, _recipients(organization))


def unpriced_requests(organization: Organization, month: date, now: datetime) -> int:
    """Requests that a statement of the month would count without a price."""
    found = review(organization, month, now)
    return found.unpriced_requests if found else 0


def _closed(period: Period, now: datetime) -> Review:
    organization = period.organization
    closed_on = local_date(period.closed_at or period.end, zone(period.zone))
    says = f"Closed on {closed_on.day} {closed_on:%B %Y}. Its statements never change."
    head = Review(period.month, months.name_of(period.month), months.State.CLOSED, says)
    documents = period.statements.order_by("number").values_list("document", flat=True)
    filled = _filled(head, [Draft(None, from_json(value)) for value in documents], {})
    return replace(filled, sums=_sums(organization, period, now), itemised=period.meters.exists())


def _sums(organization: Organization, period: Period, now: datetime) -> Sums | None:
    """Statements against requests as they are stored now; None while records are being rolled up."""
    try:
        facts = usage(organization, TimeRange(period.start, period.end), now).teams.values()
    except StaleError:
        return None
    stored = total(amounts for models in facts for amounts in models.values())
    own, corrected = said_of(organization, period.month)
    pending = stored - own - corrected
    return Sums(_exact(own), _exact(corrected), _exact(pending), _exact(stored), agrees=not pending)


def _exact(amounts: Amounts) -> str:
    return _exact_usd(amounts.cost)


def _exact_usd(picodollars: int) -> str:
    return f"{usd_text(picodollars)} USD"


def _filled(head: Review, drafted: Sequence[Draft], recipients: Mapping[int, int]) -> Review:
    rows = tuple(_row(one, recipients) for one in drafted)
    documents = [one.document for one in drafted]
    whole, used = total(one.total for one in documents), total(one.used for one in documents)
    priced, unpriced = (sum(one.coverage[place] for one in documents) for place in (0, 1))
    charged = sum_of_charges(one.charged for one in documents)
    return replace(
        head,
        rows=rows,
        requests=formats.exact(whole.requests),
        used=plain_cost(used),
        corrections=signed(sum(map(_corrected, documents))) if any(row.corrections for row in rows) else "",
        charged=cost_text(replace(whole, unpriced_requests=unpriced), charged, sum(map(_moved, documents))),
        unpriced_requests=unpriced,
        coverage=formats.share(priced / (priced + unpriced)) if priced + unpriced else "",
        mails=sum(row.recipients for row in rows),
        shared=_sources(documents),
        shared_given=formats.usd(sum(map(_given, documents))),
        shared_sum=_exact_usd(sum(one.shared_cost for one in documents)),
        unmailed=tuple(one.team.name for one in drafted if one.team and not recipients.get(one.team.pk)),
    )


def _row(draft: Draft, recipients: Mapping[int, int]) -> TeamRow:
    document, view = draft.document, shown(draft.document, "")
    unpriced = document.coverage[1]
    return TeamRow(
        team=document.team,
        number=document.number,
        requests=view.total.requests,
        used=plain_cost(document.used),
        corrections=signed(_corrected(document)) if document.adjustments else "",
        shared=view.shared_sum,
        charged=view.total.cost,
        change=view.change,
        unpriced=formats.exact(unpriced) if unpriced else "",
        recipients=recipients.get(draft.team.pk, 0) if draft.team else 0,
    )


def _corrected(document: Document) -> int:
    return sum(line.amounts.cost for line in document.adjustments)


def _given(document: Document) -> int:
    return sum(line.cost for line in document.shared if line.is_share)


def _moved(document: Document) -> int:
    return abs(document.shared_cost)


def _sources(documents: Sequence[Document]) -> tuple[Source, ...]:
    """By source: what its statements give away, and what the others get of it."""
    sums: dict[tuple[str, str, date | None], list[int]] = {}
    for line in (line for document in documents for line in document.shared):
        sums.setdefault((line.source, line.method, line.adjusts), [0, 0])[line.is_share] += line.cost
    return tuple(
        Source(f"{source}, {words_of(method)}", months.name_of(adjusts) if adjusts else "", *map(_exact_usd, amounts))
        for (source, method, adjusts), amounts in sums.items()
    )


def _recipients(organization: Organization) -> dict[int, int]:
    """How many addresses receive the statement of each team."""
    chosen = ReportRecipient.objects.filter(team__organization=organization, monthly=True)
    return Counter(chosen.values_list("team_id", flat=True))


def _says(organization: Organization, borders: TimeRange, now: datetime, *, running: bool) -> str:
    when = months.closing_day(borders, organization)
    if months.due_from(borders, zone(organization.zone)) + _LATE <= now:
        return f"Over, and should have closed by itself on {when}. Closing it by hand says what is in the way."
    if running:
        return f"Still running: these are its figures so far. It closes by itself on {when}."
    return f"Over, and waiting for late records. It closes by itself on {when}, or now by your word."
