"""The price book: append-only, effective-dated entries."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce

from ingestion.models.facts import LLMRequest
from ingestion.records import UNIT, is_token_class
from teams.models import Organization, Team, User, VirtualAccount

MANUAL: Final = "manual"
"""Source of the entries that people add; those of imports begin with `catalogue:`."""


NEVER_DELETED: Final = (
    "Entries are never deleted. To end this price from a date, add an entry of the same line without a price."
)


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
    IMAGE_INPUT = "image_input", "image input"
    OUTPUT = "output", "output"
    REASONING = "reasoning", "reasoning"
    AUDIO_OUTPUT = "audio_output", "audio output"
    IMAGE_OUTPUT = "image_output", "image output"
    REQUEST = "request", "per request"


class PriceEntries(models.QuerySet["PriceEntry"]):
    """Entries that may have priced something are there to stay."""

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete what no request knows. Raises ProtectedError, having deleted nothing, when one was priced since."""
        refuse_used(self)
        return super().delete()


def refuse_used(entries: "Iterable[PriceEntry]") -> None:
    """Raise ProtectedError for entries that stood in the book when a stored request was priced.

    The rows that go with their organization are not asked for: nothing is left that they could explain.
    """
    newest: dict[int | None, int] = {}
    used: set[models.Model] = set()
    for entry in entries:
        pk = entry.organization_id
        if pk not in newest:
            facts = LLMRequest.objects.filter(**({} if pk is None else {"organization": pk}))
            newest[pk] = facts.aggregate(newest=models.Max("price_book_version"))["newest"] or 0
        if entry.pk <= newest[pk]:
            used.add(entry)
    if used:
        raise models.ProtectedError(NEVER_DELETED, used)


class PriceEntry(models.Model):
    """One price of one token class from an instant on. Never updated or deleted: a later entry corrects it.

    `price` is US dollars per million tokens, per request for the class `request`, per piece for `unit:NAME`; NULL =
    no price from here on. An entry holds until the next one of its line, so entries cannot overlap; the database
    refuses a second one of the same line and instant unless it says which one it corrects.
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
    team = models.ForeignKey(
        Team,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Prices only the requests of this team.",
    )
    virtual_account = models.ForeignKey(
        VirtualAccount,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Prices only the requests of this virtual account.",
    )
    source = models.CharField(max_length=64, default=MANUAL, editable=False)
    provider = models.CharField(max_length=64, default="*", help_text="Provider id such as openai, or * for any.")
    model_match = models.CharField("model", max_length=256)
    match_kind = models.CharField("match", max_length=8, choices=MatchKind.choices, default=MatchKind.EXACT)
    token_class = models.CharField("token class", max_length=40)
    context_above = models.PositiveBigIntegerField(
        default=0, help_text="Applies when the request has more input tokens than this; 0 = always."
    )
    service_tier = models.CharField(max_length=32, default="standard")
    price = models.DecimalField(
        "USD per 1M tokens",
        max_digits=26,
        decimal_places=12,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="US dollars per million tokens (per request for “per request”). Empty: no price from then on.",
    )
    effective_from = models.DateTimeField(help_text="Prices requests that start at this instant or later (UTC).")
    corrects = models.OneToOneField(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        editable=False,
        related_name="corrected_by",
        help_text="The entry of the same line and instant that this one replaces.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    objects = PriceEntries.as_manager()

    class Meta:
        ordering = ["model_match", "token_class", "-effective_from", "-id"]
        indexes = [models.Index(fields=["organization", "id"], name="price_of_organization")]
        verbose_name = "price"
        verbose_name_plural = "price book"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price__isnull=True) | models.Q(price__gte=0), name="price_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(team=None, virtual_account=None)
                | models.Q(organization__isnull=False, team=None)
                | models.Q(organization__isnull=False, virtual_account=None),
                name="price_for_one_owner",
            ),
            models.UniqueConstraint(
                *(Coalesce(name, 0) for name in ("organization", "team", "virtual_account")),
                *("source", "provider", "match_kind", "model_match", "token_class", "service_tier", "context_above"),
                "effective_from",
                condition=models.Q(corrects=None),
                name="price_once_per_instant",
            ),
        ]

    def __str__(self) -> str:
        price = "no price" if self.price is None else f"{self.price.normalize():f} USD/1M"
        return f"{self.model_match} {self.token_class}: {price} from {self.effective_from:%Y-%m-%d}"

    def clean(self) -> None:
        """Raise ValidationError for what no request can be priced by."""
        if self.token_class and not is_token_class(self.token_class):  # a form has told of none
            known = ", ".join(TokenClass.values)
            message = f"One of {known}, or {UNIT} with the name of a unit: 1 to 32 of a-z, 0-9 and underscore."
            raise ValidationError({"token_class": message})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete an entry that no request knows. Raises ProtectedError when one was priced since."""
        refuse_used([self])
        return super().delete(*args, **kwargs)
