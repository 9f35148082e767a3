"""Budgets, what they amounted to when, and what was told about them."""

from django.db import models
from django.db.models import Q

from ingestion.models import GatewayUser
from teams.models import Organization, Team, User, VirtualAccount

DEFAULT_THRESHOLDS = (50, 80, 100)


def default_thresholds() -> list[int]:
    """In per cent of the amount."""
    return list(DEFAULT_THRESHOLDS)


class Budget(models.Model):
    """An amount for a day, week or month of the reporting zone, and who is told when it is nearly used up.

    It counts the requests of its `team` (None: of the organization) that `dimension` and its value leave: "" all of
    them; else one user, virtual account, model, or one value of `metadata.KEY`. What it counts never changes.
    """

    class Unit(models.TextChoices):
        """What is counted."""

        USD = "usd", "US dollars"
        TOKENS = "tokens", "tokens"

    class Every(models.TextChoices):
        """How long it lasts."""

        MONTH = "month", "month"
        WEEK = "week", "week"
        DAY = "day", "day"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="budgets")
    name = models.CharField(max_length=120)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="budgets")
    dimension = models.CharField(max_length=300, blank=True)
    value = models.CharField(max_length=256, blank=True, help_text="Of a model or of metadata.")
    # By reference: a name may change, and what the budget counts may not.
    user = models.ForeignKey(GatewayUser, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    account = models.ForeignKey(VirtualAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    unit = models.CharField(max_length=6, choices=Unit.choices, default=Unit.USD)
    every = models.CharField(max_length=5, choices=Every.choices, default=Every.MONTH)
    amount = models.DecimalField(max_digits=15, decimal_places=2)
    thresholds = models.JSONField(default=default_thresholds, help_text="Per cent of the amount.")
    forecast = models.BooleanField(default=True, help_text="Tell when the forecast passes the amount.")
    recipients = models.JSONField(default=list, blank=True, help_text="E-mail addresses.")
    webhook = models.CharField(max_length=500, blank=True)
    webhook_salt = models.CharField(max_length=32, blank=True, editable=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="budget_name_in_organization"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="budget_amount_above_zero"),
        ]

    def __str__(self) -> str:
        return self.name


class BudgetAmount(models.Model):
    """What a budget amounts to from then on. Append-only: a period that is over keeps the amount that it ended with."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="amounts")
    amount = models.DecimalField(max_digits=15, decimal_places=2)
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        ordering = ["set_at", "id"]

    def __str__(self) -> str:
        return f"{self.amount} from {self.set_at:%Y-%m-%d}"


class Notice(models.Model):
    """One thing that was told, once: a threshold of a budget in a period, or a day that stands out.

    Written in the transaction that makes its mails and calls. `document` holds all that they say.
    """

    FORECAST = 0
    """In place of a threshold: the forecast passed the amount."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="notices")
    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, null=True, related_name="notices")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    starts_on = models.DateField(help_text="First local day of the period; of a day that stands out, the day.")
    threshold = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()
    document = models.JSONField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "starts_on", "threshold"],
                condition=Q(budget__isnull=False),
                name="notice_once_per_threshold",
            ),
            models.UniqueConstraint(
                fields=["organization", "team", "starts_on"],
                condition=Q(budget__isnull=True, team__isnull=False),
                name="notice_once_per_day_of_team",
            ),
            models.UniqueConstraint(
                fields=["organization", "starts_on"],
                condition=Q(budget__isnull=True, team__isnull=True),
                name="notice_once_per_day",
            ),
        ]

    def __str__(self) -> str:
        return str(self.document.get("subject", self.starts_on))


class WebhookCall(models.Model):
    """One notice for one address that programs listen at. Tried until it is taken: its id tells repetitions apart."""

    class State(models.TextChoices):
        """Calls may be repeated, so none is uncertain."""

        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    notice = models.OneToOneField(Notice, on_delete=models.CASCADE, related_name="call")
    key = models.UUIDField(unique=True, help_text="Sent as Idempotency-Key.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.notice}: {self.state}"


class AnomalyWatch(models.Model):
    """Whether days that stand out are told. Without a row: to finance of the organization yes, to a team no."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="anomaly_watches")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    enabled = models.BooleanField()
    minimum = models.DecimalField(max_digits=12, decimal_places=2, default=10, help_text="US dollars of difference.")
    silenced = models.JSONField(default=list, blank=True, help_text="Addresses that unsubscribed.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "team"], name="anomaly_watch_of_team"),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(team__isnull=True), name="anomaly_watch_of_organization"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team or self.organization}: {'on' if self.enabled else 'off'}"
