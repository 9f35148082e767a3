"""The form that prices a model: all of its classes at once."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from ingestion.admin.price_line import LineFields, class_of
from ingestion.models.prices import MatchKind, TokenClass
from ingestion.pricing.absurdity import absurd
from ingestion.pricing.arithmetic import STANDARD
from ingestion.pricing.catalogues.base import Key
from ingestion.pricing.matching import ANY_PROVIDER
from ingestion.pricing.plausibility import excess_decimals
from ingestion.quoting.appending import TakenError, standing
from ingestion.quoting.offer import Offer
from ingestion.records import UNIT
from teams.models import Organization, Team, VirtualAccount

USUAL: Final = ("input", "cache_read", "cache_write", "output", "request")
"""Classes that are asked for at once; the others unfold."""
UNITS: Final = 12
"""The most rows of what is billed by the piece."""
_LINE: Final = ("organization", "provider", "model_match", "match_kind")
_NARROWING: Final = ("team", "virtual_account", "service_tier", "context_above")
_EMPTY_UNITS: Final = 2
_CLASS: Final = "price_"
_LARGEST_CONTEXT: Final = 10**12


def _price_field(name: str, label: str) -> forms.DecimalField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 12})
    return forms.DecimalField(label=label, required=False, min_value=0, max_digits=26, decimal_places=12, widget=widget)


class PriceSheetForm(LineFields, forms.Form):
    """Whom the prices are for, from when on, and US dollars per class. An empty price leaves its class as it is."""

    organization = forms.ModelChoiceField(Organization.objects.none(), required=False)
    provider = forms.CharField(
        max_length=64, required=False, initial=ANY_PROVIDER, help_text="Provider id such as openai, or * for any."
    )
    model_match = forms.CharField(max_length=256, label="Model")
    match_kind = forms.ChoiceField(choices=MatchKind.choices, label="Match", initial=MatchKind.EXACT.value)
    effective_from = forms.DateTimeField(label="From (UTC)")
    team = forms.ModelChoiceField(Team.objects.none(), required=False, empty_label="every team")
    virtual_account = forms.ModelChoiceField(
        VirtualAccount.objects.none(), required=False, empty_label="every virtual account"
    )
    service_tier = forms.CharField(max_length=32, required=False, initial=STANDARD)
    context_above = forms.IntegerField(
        min_value=0,
        max_value=_LARGEST_CONTEXT,
        initial=0,
        label="Context above",
        help_text="Only requests with more input tokens than this; 0 = all.",
    )
    note = forms.CharField(max_length=300, required=False, help_text="Such as the number of the contract.")
    replace = forms.BooleanField(required=False, label="Replace it")

    def __init__(self, *args: Any, organizations: "QuerySet[Organization]", operator: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operator = operator  # type: ignore[misc] # of this form, as the admin's forms have it of their class
        self.fields["organization"] = forms.ModelChoiceField(
            organizations, required=not operator, empty_label="every organization" if operator else None
        )
        for name, model in (("team", Team), ("virtual_account", VirtualAccount)):
            field: Any = self.fields[name]
            field.queryset = model._default_manager.filter(organization__in=organizations, merged_into=None)
        for name, label in TokenClass.choices:
            self.fields[_CLASS + name] = _price_field(name, str(label))
        self.taken: TakenError | None = None
        self.offer: Offer | None = None
        self.unit_errors: list[str] = []

    @property
    def line_fields(self) -> list[Any]:
        """Which model it is about."""
        return [self[name] for name in _LINE]

    @property
    def when_fields(self) -> list[Any]:
        """From when on, and why."""
        return [self["effective_from"], self["note"]]

    @property
    def narrowing_fields(self) -> list[Any]:
        """What leaves requests of the model out."""
        return [self[name] for name in _NARROWING]

    @property
    def is_narrowed(self) -> bool:
        """Whether something is left out, or wrong there."""
        usual = ("", STANDARD, "0", "None")
        return any(field.errors or str(field.value()) not in usual for field in self.narrowing_fields)

    @property
    def has_units(self) -> bool:
        """Whether something was typed there."""
        return any(any(row) for row in self._typed_units())

    def class_fields(self) -> Iterator[tuple[str, Any, bool]]:
        """Each class with its field, and whether it is one that is usually asked for or filled in already."""
        for name in TokenClass.values:
            field = self[_CLASS + name]
            yield name, field, name in USUAL or bool(field.value())

    def unit_rows(self) -> list[tuple[str, str]]:
        """What was typed for pieces, and a few empty rows."""
        typed = [row for row in self._typed_units() if any(row)]
        return [*typed, *[("", "")] * max(1, _EMPTY_UNITS - len(typed))][:UNITS]

    def clean(self) -> dict[str, Any]:
        """The offer, when everything in it may be stored."""
        cleaned = super().clean() or self.cleaned_data
        self.check_match(cleaned)
        self.check_owner(cleaned)
        prices = {name: cleaned.get(_CLASS + name) for name in TokenClass.values}
        prices |= self._units()
        typed = {name: price for name, price in prices.items() if price is not None}
        if not typed and not self.errors:
            raise ValidationError("Enter at least one price.")
        if not self.errors:
            self._believe(typed)
        if not self.errors:
            self._offer(typed)
        return cleaned

    def _typed_units(self) -> list[tuple[str, str]]:
        if not self.is_bound:
            return []
        data: Any = self.data
        return list(zip(data.getlist("unit_name"), data.getlist("unit_price"), strict=False))[:UNITS]

    def _units(self) -> dict[str, Decimal]:
        """Prices by the piece; what is wrong with them is said once for all."""
        found: dict[str, Decimal] = {}
        for name, text in self._typed_units():
            if name.strip() and text.strip():
                try:
                    class_ = class_of(UNIT + name.strip().lower().removeprefix(UNIT))
                    price = Decimal(text.strip())
                    if not price.is_finite() or price < 0 or price.adjusted() > 13:
                        raise InvalidOperation
                    found[class_] = price
                except InvalidOperation:
                    self.unit_errors.append(f"{name[:40]}: enter a number, not negative.")
                except ValidationError as error:
                    self.unit_errors += [f"{name[:40]}: {message}" for message in error.messages]
            elif name.strip() or text.strip():
                self.unit_errors.append("A price by the piece needs a name and a number.")
        if self.unit_errors:
            self.add_error(None, self.unit_errors)
        return found

    def _believe(self, typed: dict[str, Decimal]) -> None:
        cleaned = self.cleaned_data
        for name, price in typed.items():
            key = Key(
                **{column: cleaned[column] for column in Key._fields if column != "token_class"}, token_class=name
            )
            reason = excess_decimals(price, name) or absurd(price, key, cleaned["organization"])
            if reason:
                self.add_error(_CLASS + name if _CLASS + name in self.fields else None, reason)

    def _offer(self, typed: dict[str, Decimal]) -> None:
        names = ("organization", "team", "virtual_account", "provider", "model_match", "match_kind", "service_tier")
        columns = {name: self.cleaned_data[name] for name in (*names, "context_above", "effective_from", "note")}
        self.offer = Offer(prices=typed, **columns)
        taken = [found for found in map(standing, self.offer.entries) if found is not None]
        if taken and not self.cleaned_data["replace"]:
            self.refuse(TakenError(taken))

    def refuse(self, taken: TakenError) -> None:
        """Say which entries stand there already; the bill is shown all the same."""
        self.taken = taken
        self.add_error(None, str(taken))
