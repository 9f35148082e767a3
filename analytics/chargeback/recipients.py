"""Pages of recipients: whose teams somebody manages, what a mail would look like, a test of it to oneself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Count

from analytics.budgets.reading import may_write, own_teams
from analytics.chargeback.delivery import Delivery, Fate, deliver
from analytics.chargeback.digests.due import EVERY, finished
from analytics.chargeback.digests.summary import summary
from analytics.chargeback.mail import of_digest, of_statement
from analytics.models import Statement
from analytics.query.values import RefusedQueryError
from teams.access import Scope
from teams.models import AuditEntry, Organization, ReportRecipient, Team, User
from teams.services import audit
from teams.services.recipients import offered, outside, require_recipients

KINDS: Final = tuple(ReportRecipient.Kind.choices)
MOST_TESTS: Final = 5
"""Of one person in an hour."""
_ACTION: Final = "mail.test"


class NoPreviewError(Exception):
    """There is nothing to show; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Row:
    """One recipient as the page shows it."""

    id: int
    email: str
    kinds: list[str]
    attachment: str
    attachments: list[tuple[str, str]]
    outside: bool


def teams_of(scope: Scope) -> list[Team]:
    """The teams whose recipients the person manages, each with its number of `receivers`."""
    own = [one.pk for one in own_teams(scope)]
    return list(
        Team.objects.filter(pk__in=own, merged_into=None).annotate(receivers=Count("recipients")).order_by("name")
    )


def find_team(scope: Scope, number: int) -> tuple[Team, bool] | None:
    """A team of the organization, and whether the person manages its recipients."""
    team = Team.objects.select_related("organization").filter(organization=scope.organization_id, pk=number).first()
    return (team, may_write(scope, team.pk)) if team else None


def rows_of(team: Team) -> list[Row]:
    """The recipients by address."""
    found = list(ReportRecipient.objects.filter(team=team).order_by("email"))
    foreign = set(outside(team.organization, (one.email for one in found)))
    return [
        Row(one.pk, one.email, one.kinds, one.attachment, [*offered(one.attachment).items()], one.email in foreign)
        for one in found
    ]


def find(team: Team, number: int) -> ReportRecipient | None:
    """A recipient of the team."""
    return ReportRecipient.objects.select_related("team__organization").filter(team=team, pk=number).first()


def members_of(team: Team) -> list[str]:
    """Addresses of people in the team, to choose from."""
    found = team.memberships.filter(user__is_active=True).values_list("user__email", flat=True)
    return list(found.order_by("user__email"))


def preview(
    team: Team, kind: str, recipient: str, now: datetime, *, attachment: str = "csv", note: str = ""
) -> EmailMultiAlternatives:
    """The mail as it would be made now. Raises NoPreviewError. Nothing is stored."""
    if kind in EVERY:
        span = finished(kind, team.organization.zone, now)
        try:
            return of_digest(summary(team, kind, span, now), recipient, "", note)
        except RefusedQueryError as error:
            raise NoPreviewError(f"This summary cannot be made: {error}") from None
    if kind != ReportRecipient.Kind.STATEMENT:
        raise NoPreviewError("There is no such mail.")
    newest = Statement.objects.filter(team=team).order_by("-period__month").first()
    if newest is None:
        raise NoPreviewError(f"No statement of {team.name} was issued yet.")
    return of_statement(newest, recipient, "", attachment, note)


def parts(message: EmailMultiAlternatives) -> dict[str, Any]:
    """Subject, text, HTML and the names of the files of a mail."""
    (html,) = (str(one[0]) for one in message.alternatives)
    names = [str(one[0]) for one in message.attachments]
    return {"subject": str(message.subject), "text": str(message.body), "html": html, "files": names}


def send_test(*, actor: User, team: Team, kind: str, now: datetime, attachment: str = "csv") -> Delivery:
    """Send the mail to the person who asks, marked as a test. No row of the outbox: it counts as nothing.

    Raises PermissionDenied, NoPreviewError, and ValidationError when it was asked too often.
    """
    require_recipients(actor, team)
    note = f"This is a test that {actor.email} asked for. It was sent to nobody else."
    message = preview(team, kind, actor.email, now, attachment=attachment, note=note)
    message.subject = f"[Test] {message.subject}"
    count_test(actor, team.organization, kind, team, now)
    return deliver(message)


def count_test(actor: User, organization: Organization, kind: str, about: Team | Organization, now: datetime) -> None:
    """Note a test before it is sent: whoever asks twice at once is counted twice. Raises ValidationError."""
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        since = now - timedelta(hours=1)
        earlier = AuditEntry.objects.filter(organization=organization, actor=actor, action=_ACTION, at__gt=since)
        if earlier.count() >= MOST_TESTS:
            raise ValidationError(f"At most {MOST_TESTS} tests in an hour. Try again later.")
        audit.record(organization=organization, actor=actor, action=_ACTION, target=about, kind=kind)


def told(delivery: Delivery) -> str:
    """What became of a test; "" when it was sent."""
    return "" if delivery.fate is Fate.SENT else f"The test was not sent. {delivery.reason}"


def context(team: Team) -> dict[str, Any]:
    """What the page of a team shows whatever was done."""
    return {
        "team": team,
        "rows": rows_of(team),
        "members": members_of(team),
        "kinds": KINDS,
        "attachments": [*offered().items()],
    }
