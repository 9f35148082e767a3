"""Forms of discounts and markups, model aliases and cost policies: what is added is said once and clearly."""

import re
from decimal import Decimal
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model

from ingestion.admin.price_line import LineFields
from ingestion.models import CostPolicy, ModelAlias, PriceAdjustment
from ingestion.models.prices import MatchKind
from metricsportal.lib.formats import decimal
from teams.admin.scoped import ModelForm

_DECIMALS: Final = 4


class ReplacingForm(ModelForm):
    """A form whose row stands at an instant of a line, at which another one may stand already."""

    line: ClassVar[tuple[str, ...]]

    replace = forms.BooleanField(
        label="Replace it",
        required=False,
        help_text="If there is one of this line from that very instant: this one corrects it.",
    )

    def check_instant(self, cleaned: dict[str, Any]) -> None:
        """Refuse a second row of a line and instant that does not say that it replaces the first."""
        if not self.errors and not cleaned["replace"]:
            taken = standing(self._meta.model, {name: cleaned.get(name) for name in (*self.line, "effective_from")})
            if taken is not None:
                raise ValidationError(taken_sentence(taken))


def standing(model: type[Model], values: dict[str, Any]) -> Any:
    """The row that holds for the line from that very instant: the last of those there are."""
    return model._default_manager.filter(**values).select_related("created_by").order_by("-pk").first()


def taken_sentence(taken: Any) -> str:
    """Which row stands there, and what to do."""
    by = f" by {taken.created_by}" if taken.created_by else ""
    said = f"{_said(taken)}{by} on {taken.created_at:%Y-%m-%d} (row {taken.pk})"
    return f"There is already one of this line from that instant: {said}. Tick “replace it” to correct it."


def _said(taken: Any) -> str:
    if isinstance(taken, CostPolicy):
        return taken.get_policy_display()
    return "none" if taken.percent is None else f"{taken.kind} of {decimal(taken.percent)} %"


class AdjustmentForm(LineFields, ReplacingForm):
    """A discount or a markup."""

    line = ("organization", "team", "kind", "provider", "model_match", "match_kind")
    percent = forms.DecimalField(
        required=False,
        help_text="At most four decimals; a discount is at most 100. Empty: ends from then on.",
    )

    class Meta:
        model = PriceAdjustment
        exclude: ClassVar[list[str]] = []

    def clean_percent(self) -> Decimal | None:
        """Within what the arithmetic can take."""
        percent: Decimal | None = self.cleaned_data["percent"]
        if percent is None:
            return None
        exponent = percent.normalize().as_tuple().exponent
        if percent < 0:
            raise ValidationError("A percentage is 0 or more: a discount lowers, a markup raises.")
        if isinstance(exponent, int) and -exponent > _DECIMALS:
            raise ValidationError(f"At most {_DECIMALS} decimals.")
        if percent >= 100_000:
            raise ValidationError("Less than 100,000.")
        return percent

    def clean(self) -> dict[str, Any] | None:
        """A discount is at most all of it, and a line says one thing at an instant."""
        cleaned = super().clean() or self.cleaned_data
        percent = cleaned.get("percent")
        if cleaned.get("kind") == PriceAdjustment.Kind.DISCOUNT and percent is not None and percent > 100:
            self.add_error("percent", "A discount is at most 100 %.")
        self.check_match(cleaned)
        self.check_owner(cleaned)
        self.check_instant(cleaned)
        return cleaned


class PolicyForm(ReplacingForm):
    """Whose figure counts."""

    line = ("organization",)

    class Meta:
        model = CostPolicy
        exclude: ClassVar[list[str]] = []

    def clean(self) -> dict[str, Any] | None:
        """An organization has one policy at an instant."""
        cleaned = super().clean() or self.cleaned_data
        self.check_instant(cleaned)
        return cleaned


class AliasForm(LineFields, ModelForm):
    """A name of the traffic and the model of the price book that it stands for."""

    class Meta:
        model = ModelAlias
        exclude: ClassVar[list[str]] = []

    def clean_provider(self) -> str:
        """Empty is the provider of the request, so an alias is of no provider in particular only when it says so."""
        given = self.cleaned_data["provider"].strip()
        return "" if not given else super().clean_provider()

    def clean_model(self) -> str:
        """The one model that it is priced as."""
        model: str = self.cleaned_data["model"].strip().lower()
        if re.search(r"[*?]", model) or not model.isprintable():
            raise ValidationError("The name of one model, without * and ?.")
        return model

    def clean(self) -> dict[str, Any] | None:
        """A name does not stand for itself."""
        cleaned = super().clean() or self.cleaned_data
        self.check_match(cleaned)
        same = cleaned.get("model") and cleaned["model"] == cleaned.get("model_match")
        if same and cleaned.get("match_kind") == MatchKind.EXACT and not cleaned.get("provider"):
            self.add_error("model", "That is the name itself. Enter the model of the price book that it stands for.")
        if cleaned.get("provider") == "*":
            self.add_error("provider", "One provider, or empty for that of the request.")
        return cleaned
