"""What stands between the price book and a bill: names, discounts and markups, and whose figure counts.

Like prices these are append-only: a later row of the same line replaces an earlier one.
"""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce

from ingestion.models.prices import MatchKind
from teams.models import Organization, Team, User


class Term(models.Model):
    """Who added it, when and why."""

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True


class PriceAdjustment(Term):
    """A discount on list prices or a markup on what is charged on, from an instant on.

    At most one of each kind applies to a request: that of the most specific scope (team, then model, then provider).
    `percent` NULL = the line ends, the next less specific one holds.
    """

    class Kind(models.TextChoices):
        """A discount is taken off first, a markup is added to what remains."""

        DISCOUNT = "discount", "discount"
        MARKUP = "markup", "markup"

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="price_adjustments", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    team = models.ForeignKey(
        Team, on_delete=models.RESTRICT, null=True, blank=True, related_name="+", help_text="Empty: every team."
    )
    provider = models.CharField(max_length=64, default="*", help_text="Provider id such as openai, or * for any.")
    model_match = models.CharField("model", max_length=256, default="*", help_text="* = every model.")
    match_kind = models.CharField("match", max_length=8, choices=MatchKind.choices, default=MatchKind.GLOB)
    percent = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="At most four decimals; a discount is at most 100. Empty: ends from then on.",
    )
    effective_from = models.DateTimeField(help_text="For requests that start at this instant or later (UTC).")
    corrects = models.OneToOneField(
        "self", on_delete=models.RESTRICT, null=True, blank=True, editable=False, related_name="corrected_by"
    )

    class Meta:
        ordering = ["kind", "-effective_from", "-id"]
        indexes = [models.Index(fields=["organization", "id"], name="adjustment_of_organization")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent=None)
                | models.Q(kind="markup", percent__gte=0)
                | models.Q(kind="discount", percent__gte=0, percent__lte=100),
                name="adjustment_within_range",
            ),
            models.UniqueConstraint(
                "organization",
                Coalesce("team", 0),
                *("kind", "provider", "match_kind", "model_match", "effective_from"),
                condition=models.Q(corrects=None),
                name="adjustment_once_per_instant",
            ),
        ]

    def __str__(self) -> str:
        percent = "none" if self.percent is None else f"{self.percent.normalize():f} %"
        return f"{self.kind} {percent} from {self.effective_from:%Y-%m-%d}"


class ModelAlias(Term):
    """Which model of the price book a name of the traffic stands for. The request keeps the name as it was sent.

    Of several rows with the same pattern the last one counts; one without a model ends it.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="model_aliases",
        db_index=False,
        help_text="Empty: for every organization of this installation.",
    )
    model_match = models.CharField("name in traffic", max_length=256)
    match_kind = models.CharField("match", max_length=8, choices=MatchKind.choices, default=MatchKind.EXACT)
    provider = models.CharField(
        "priced as provider", max_length=64, blank=True, help_text="Empty: the provider of the request."
    )
    model = models.CharField("priced as model", max_length=256, blank=True, help_text="Empty: ends the alias.")

    class Meta:
        ordering = ["model_match", "-id"]
        verbose_name = "model alias"
        verbose_name_plural = "model aliases"
        indexes = [models.Index(fields=["organization", "id"], name="alias_of_organization")]

    def __str__(self) -> str:
        return f"{self.model_match} is {self.model or 'nothing else'}"


class CostPolicy(Term):
    """Which figure is the cost when the price book and the gateway both have one, from an instant on."""

    class Policy(models.TextChoices):
        """In each, what comes first is used when it is known."""

        COMPUTED_FIRST = "computed_first", "price book, else the gateway's figure"
        REPORTED_FIRST = "reported_first", "the gateway's figure, else price book"
        COMPUTED_ONLY = "computed_only", "price book only"
        REPORTED_ONLY = "reported_only", "the gateway's figure only"

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="cost_policies", db_index=False
    )
    policy = models.CharField(max_length=16, choices=Policy.choices, default=Policy.COMPUTED_FIRST)
    adjust_reported = models.BooleanField(
        "adjust the gateway's figure",
        default=False,
        help_text="Apply discount and markup to the gateway's figures too. Otherwise they are charged as reported.",
    )
    effective_from = models.DateTimeField(help_text="For requests that start at this instant or later (UTC).")

    class Meta:
        ordering = ["-effective_from", "-id"]
        verbose_name_plural = "cost policies"
        indexes = [models.Index(fields=["organization", "id"], name="cost_policy_of_organization")]

    def __str__(self) -> str:
        return f"{self.get_policy_display()} from {self.effective_from:%Y-%m-%d}"
