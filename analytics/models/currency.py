"""What a US dollar is worth in the currency that an organization reads amounts in beside the dollar."""

from decimal import Decimal

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from teams.models import Organization, User


class ExchangeRate(models.Model):
    """Units of a currency for one US dollar, from an instant on. Never updated or deleted: a later one replaces it.

    Nothing is stored in another currency: amounts are converted where they are shown.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="exchange_rates", db_index=False
    )
    currency = models.CharField(
        max_length=3,
        validators=[RegexValidator(r"^[A-Z]{3}\Z", "A currency is a code of three letters, such as EUR.")],
        help_text="ISO 4217 code such as EUR.",
    )
    rate = models.DecimalField(
        "units for 1 USD",
        max_digits=18,
        decimal_places=8,
        validators=[MinValueValidator(Decimal("0.00000001"), "A rate is above 0.")],
        help_text="How many units of the currency one US dollar is, at most eight decimals: 0.9213.",
    )
    effective_from = models.DateTimeField(help_text="For periods that end after this instant (UTC).")
    note = models.CharField(max_length=300, blank=True, help_text="Where the rate comes from.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        ordering = ["-effective_from", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="rate_above_zero"),
            models.UniqueConstraint(
                fields=["organization", "currency", "effective_from"],
                name="rate_once_per_instant",
                violation_error_message=(
                    "There is a rate of this currency from this instant on. Rates are never changed: "
                    "add one from a later instant."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rate.normalize():f} {self.currency} for 1 USD from {self.effective_from:%Y-%m-%d}"
