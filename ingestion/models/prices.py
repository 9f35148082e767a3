"""The price book: append-only, effective-dated entries."""

from decimal import Decimal
from typing import Final

from django.core.validators import MinValueValidator
from django.db import models

from teams.models import Organization, User

MANUAL: Final = "manual"
"""Source of the entries that people add; those of imports begin with `catalogue:`."""


class MatchKind(models.TextChoices):
    """How `model_match` is compared with the lower-case model name."""

    EXACT = "exact", "is exactly"
    PREFIX = "prefix", "starts with"
    GLOB = "glob", "matches (* and ?)"


class TokenClass(models.TextChoices):
    """Disjoint billable classes; an absent class falls back as docs/pricing.md says."""

    INPUT = "input", "input"
    CACHE_READ = "cache_read", "cache read"
    CACHE_WRITE = "cache_write", "cache write (5 min)"
    CACHE_WRITE_1H = "cache_write_1h", "cache write (1 h)"
    AUDIO_INPUT = "audio_input", "audio input"
    OUTPUT = "output", "output"
    REASONING = "reasoning", "reasoning"
    AUDIO_OUTPUT = "audio_output", "audio output"
    REQUEST = "request", "per request"


class PriceEntry(models.Model):
    """One price of one token class from an instant on. Never updated or deleted: a later entry corrects it.

    `price` is US dollars per million tokens (per request for the class `request`); NULL = no price from here on.
    The price book version of an organization is the largest id among its entries and the global ones.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="price_entries",
        db_index=False,
        help_text="Empty: for every organization of this installation.",
    )
    source = models.CharField(max_length=64, default=MANUAL, editable=False)
    provider = models.CharField(max_length=64, default="*", help_text="Provider id such as openai, or * for any.")
    model_match = models.CharField("model", max_length=256)
    match_kind = models.CharField("match", max_length=8, choices=MatchKind.choices, default=MatchKind.EXACT)
    token_class = models.CharField("token class", max_length=16, choices=TokenClass.choices)
    context_above = models.PositiveBigIntegerField(
        default=0, help_text="Applies when the request has more input tokens than this; 0 = always."
    )
    service_tier = models.CharField(max_length=32, default="standard")
    price = models.DecimalField(
        "USD per 1M tokens",
        max_digits=20,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="US dollars per million tokens (per request for “per request”). Empty: no price from then on.",
    )
    effective_from = models.DateTimeField(help_text="Prices requests that start at this instant or later (UTC).")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["model_match", "token_class", "-effective_from", "-id"]
        indexes = [models.Index(fields=["organization", "id"], name="price_of_organization")]
        verbose_name = "price"
        verbose_name_plural = "price book"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price__isnull=True) | models.Q(price__gte=0), name="price_not_negative"
            ),
        ]

    def __str__(self) -> str:
        price = "no price" if self.price is None else f"{self.price.normalize():f} USD/1M"
        return f"{self.model_match} {self.get_token_class_display()}: {price} from {self.effective_from:%Y-%m-%d}"
