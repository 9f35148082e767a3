"""The outbox of an organization for its finance people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Count

from analytics.chargeback.outbox import AGAIN, send_again
from analytics.models import OutboxMail
from teams.models import Organization, User

PAGE: Final = 50
STATES: Final = tuple(OutboxMail.State.choices)


@dataclass(frozen=True, slots=True)
class Row:
    """A mail, what it carries and what became of it."""

    id: int
    about: str
    kind: str
    recipient: str
    state: str
    state_words: str
    tries: int
    error: str
    at: datetime | None
    may_send: bool


def page_of(organization: Organization, state: str, number: str) -> "tuple[Page[OutboxMail], list[Row]]":
    """The newest mails first; of one state when it is named."""
    found = OutboxMail.objects.filter(organization=organization).select_related("statement__period", "notice", "digest")
    if state in OutboxMail.State.values:
        found = found.filter(state=state)
    shown = Paginator(found.order_by("-pk"), PAGE).get_page(number)
    return shown, [_row(one) for one in shown.object_list]


def counts(organization: Organization) -> list[tuple[str, str, int]]:
    """Each state with its name and how many mails are in it."""
    found = OutboxMail.objects.filter(organization=organization).order_by().values_list("state").annotate(Count("pk"))
    many = dict(found)
    return [(state, str(label), many.get(state, 0)) for state, label in STATES]


def again(*, actor: User, organization: Organization, number: int, now: datetime) -> bool | None:
    """Send a failed or uncertain mail again; False when it is in another state by now, None when there is none."""
    mail = OutboxMail.objects.select_related("organization").filter(organization=organization, pk=number).first()
    return None if mail is None else send_again(actor=actor, mail=mail, now=now)


def _row(mail: OutboxMail) -> Row:
    kind, about = "Notice", str(mail.notice)
    if mail.statement:
        kind, about = "Statement", f"{mail.statement.team_name}, {mail.statement.period.month:%B %Y}"
    elif mail.digest:
        closed = mail.digest.kind == "closed"
        kind = mail.digest.get_kind_display() + ("" if closed else " summary")
        about = str(mail.digest)
    return Row(
        id=mail.pk,
        about=about,
        kind=kind,
        recipient=mail.recipient,
        state=mail.state,
        state_words=mail.get_state_display(),
        tries=mail.tries,
        error=mail.error,
        at=mail.sent_at or mail.not_before,
        may_send=mail.state in AGAIN,
    )
