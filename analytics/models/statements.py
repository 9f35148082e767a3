"""Chargeback: periods, frozen statements, the e-mail outbox."""

from typing import TYPE_CHECKING, Any

from django.db import models

from analytics.models.budgets import Notice
from analytics.models.digests import Digest
from teams.models import Organization, Team

if TYPE_CHECKING:
    _DecimalField = models.DecimalField[int, int]
else:
    _DecimalField = models.DecimalField


class PicodollarField(_DecimalField):
    """Whole picodollars as a Python integer: a year of a large company is more than 64 bits hold (9.2 million USD).

    SQLite keeps what is larger with fifteen digits; the statement's document is exact everywhere.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"help_text": "Picodollars.", **options, "max_digits": 30, "decimal_places": 0})

    def from_db_value(self, value: Any, *_: object) -> int | None:  # noqa: ANN401 - of the driver
        """An integer."""
        return None if value is None else int(value)


class Period(models.Model):
    """A calendar month of the reporting zone. `open -> grace -> closed`; a closed period never changes."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="periods")
    month = models.DateField(help_text="First day of the local month.")
    zone = models.CharField(max_length=64)
    start = models.DateTimeField()
    end = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    sharing = models.JSONField(
        default=list, blank=True, editable=False, help_text="How shared costs were split, frozen: sources and weights."
    )

    class Meta:
        ordering = ["-month"]
        constraints = [models.UniqueConstraint(fields=["organization", "month"], name="period_once")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Statement(models.Model):
    """What one team used and cost in a closed period, frozen. A NULL team is the remainder without a team."""

    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="statements")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    team_name = models.CharField(max_length=256)
    number = models.CharField(max_length=64, unique=True)
    requests = models.BigIntegerField()
    failed = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cost = PicodollarField()
    shared = PicodollarField(default=0, help_text="Picodollars of the cost that came by sharing; negative: given away.")
    unpriced_requests = models.BigIntegerField()
    price_book_version = models.BigIntegerField()
    issued_at = models.DateTimeField()
    document = models.JSONField(help_text="The frozen statement, canonical JSON.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical document.")

    class Meta:
        ordering = ["period", "team_name"]
        constraints = [
            models.UniqueConstraint(fields=["period", "team"], name="statement_once_per_team"),
            models.UniqueConstraint(
                fields=["period"], condition=models.Q(team__isnull=True), name="statement_once_without_team"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.team_name}"


class StatementLine(models.Model):
    """One model of a statement, or the correction of one model in an earlier, closed month."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    adjusts = models.DateField(
        null=True,
        help_text="First day of the closed month that this line corrects; empty for use in the statement's own month.",
    )
    model = models.CharField(max_length=256)
    requests = models.BigIntegerField()
    failed = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cost = PicodollarField()
    unpriced_requests = models.BigIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["statement", "position"], name="statement_line_position")]

    def __str__(self) -> str:
        return self.model


class OutboxMail(models.Model):
    """One statement, notice or summary for one recipient; written in the transaction that makes what it carries."""

    class State(models.TextChoices):
        """`uncertain` = perhaps delivered: never repeated by itself, shown to administrators."""

        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        UNCERTAIN = "uncertain"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="outbox_mails")
    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, null=True, blank=True, related_name="mails")
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, null=True, blank=True, related_name="mails")
    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, null=True, blank=True, related_name="mails")
    attachment = models.CharField(max_length=5, default="csv", help_text="What comes with a statement, as then chosen.")
    recipient = models.EmailField(max_length=254)
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "recipient"], name="mail_once_per_recipient"),
            models.UniqueConstraint(fields=["notice", "recipient"], name="notice_once_per_recipient"),
            models.UniqueConstraint(fields=["digest", "recipient"], name="digest_once_per_recipient"),
            models.CheckConstraint(
                condition=models.Q(statement__isnull=False, notice__isnull=True, digest__isnull=True)
                | models.Q(statement__isnull=True, notice__isnull=False, digest__isnull=True)
                | models.Q(statement__isnull=True, notice__isnull=True, digest__isnull=False),
                name="mail_carries_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement or self.notice or self.digest} to {self.recipient}: {self.state}"
