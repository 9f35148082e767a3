"""A month for those who close it: its draft equals what is then frozen, and its sums say what is still missing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from analytics.chargeback import months
from analytics.chargeback.approving import approve
from analytics.chargeback.months import ClosingRefusedError
from analytics.chargeback.review import Review, review
from analytics.models import OutboxMail, Period, Statement
from teams.models import AuditEntry, Organization, Team, User
from tests.chargeback.scene import LATER, NOVEMBER, OCTOBER, close, day, reprice, spend, subscribe

GRACE = day(11, 2)
"""October is over everywhere, and its grace is not."""

pytestmark = pytest.mark.django_db


def seen(organization: Organization, now: object = GRACE, month: object = OCTOBER) -> Review:
    """The review, which must be there."""
    found = review(organization, month, now)  # type: ignore[arg-type]
    assert found is not None
    return found


def table(found: Review) -> list[tuple[str, ...]]:
    """Team, use, corrections, charge, without a price, recipients."""
    return [(row.team, row.used, row.corrections, row.charged, row.unpriced, str(row.recipients)) for row in found.rows]


@pytest.fixture
def october(acme: Organization, search: Team, ads: Team) -> Organization:
    """Two teams, one of them with a request without a price, and the remainder."""
    spend(acme, day(10), "2.5", team="Search", model="gpt-4o-mini")
    spend(acme, day(10), "1", team="Ads", model="gpt-4o-mini")
    spend(acme, day(10), None, team="Ads", model="mystery")
    spend(acme, day(10), "0.25", model="gpt-4o-mini")
    subscribe(search, "one@acme.example", "two@acme.example")
    return acme


def test_what_a_month_would_charge_is_what_it_then_charges(october: Organization) -> None:
    draft = seen(october)
    assert (draft.state, draft.may_close, draft.unpriced_requests) == (months.State.GRACE, True, 1)
    assert table(draft) == [
        ("Ads", "at least $1.00", "", "at least $1.0000", "1", "0"),
        ("Search", "$2.50", "", "$2.5000", "", "2"),
        ("Unassigned", "$0.25", "", "$0.2500", "", "0"),
    ]
    assert (draft.charged, draft.mails, draft.unmailed) == ("at least $3.7500", 2, ("Ads",))
    assert not Statement.objects.exists()
    assert not Period.objects.exists()
    close(october, OCTOBER, GRACE)
    closed = seen(october)
    assert [row[:5] for row in table(closed)] == [row[:5] for row in table(draft)]
    assert (closed.charged, closed.coverage, closed.state) == (draft.charged, draft.coverage, months.State.CLOSED)


def test_a_closed_month_says_what_later_ones_corrected_and_what_is_still_to_come(october: Organization) -> None:
    late = spend(october, day(10), "1", team="Search", model="gpt-4o-mini")
    close(october, OCTOBER, GRACE)
    sums = seen(october).sums
    assert sums is not None
    assert (sums.stated, sums.corrected, sums.pending, sums.agrees) == ("4.75 USD", "0 USD", "0 USD", True)
    reprice(late, "0.25")
    sums = seen(october, LATER).sums
    assert sums is not None
    assert (sums.stated, sums.pending, sums.stored, sums.agrees) == ("4.75 USD", "-0.75 USD", "4 USD", False)
    following = seen(october, LATER, NOVEMBER)
    assert table(following) == [("Search", "$0.00", "-$0.75", "-$0.7500", "", "2")]
    close(october, NOVEMBER)
    sums = seen(october, LATER).sums
    assert sums is not None
    assert (sums.corrected, sums.pending, sums.stored, sums.agrees) == ("-0.75 USD", "0 USD", "4 USD", True)


def test_a_running_month_shows_its_figures_so_far_and_cannot_be_closed(october: Organization) -> None:
    running = seen(october, day(10, 20))
    assert (running.state, running.may_close, running.charged) == (months.State.OPEN, False, "at least $3.7500")
    assert review(october, NOVEMBER, day(10, 20)) is None


def test_a_person_closes_a_month_and_the_log_says_who(october: Organization, finance: User) -> None:
    approve(actor=finance, organization=october, month=OCTOBER, now=GRACE, unpriced_too=True)
    assert Statement.objects.count() == 3
    assert OutboxMail.objects.count() == 2
    entry = AuditEntry.objects.get(action="month.close")
    assert (entry.actor, entry.target) == (finance, "October 2026")
    assert (entry.details["statements"], Decimal(entry.details["cost_usd"])) == (3, Decimal("3.75"))
    assert entry.details["unpriced_requests"] == 1


def test_a_month_that_closes_by_itself_is_in_the_log_too(october: Organization) -> None:
    close(october, OCTOBER)
    close(october, OCTOBER)
    (entry,) = AuditEntry.objects.filter(action="month.close")
    assert (entry.actor, entry.target) == (None, "October 2026")


@pytest.mark.parametrize(
    ("month", "now", "says"),
    [
        (OCTOBER, GRACE, "1 request of October 2026 has no price"),
        (OCTOBER, day(10, 20), "still running"),
        (NOVEMBER, day(10, 20), "has not begun"),
    ],
)
def test_what_cannot_be_closed_says_why_and_changes_nothing(
    month: object, now: object, says: str, october: Organization, finance: User
) -> None:
    with pytest.raises(ClosingRefusedError, match=says):
        approve(actor=finance, organization=october, month=month, now=now, unpriced_too=False)  # type: ignore[arg-type]
    assert not Period.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="month.close").exists()


def test_a_month_is_closed_once(october: Organization, finance: User) -> None:
    close(october, OCTOBER, GRACE)
    with pytest.raises(ClosingRefusedError, match="closed already"):
        approve(actor=finance, organization=october, month=OCTOBER, now=GRACE + timedelta(hours=1), unpriced_too=True)
    assert Statement.objects.count() == 3


@pytest.mark.parametrize("persona", ["manager", "member", "outsider"])
def test_who_may_not_close_is_refused_and_noted(
    persona: str, october: Organization, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(PermissionDenied):
        approve(
            actor=request.getfixturevalue(persona), organization=october, month=OCTOBER, now=GRACE, unpriced_too=True
        )
    assert not Period.objects.exists()
    assert AuditEntry.objects.filter(action="month.close.refused").count() == 1
