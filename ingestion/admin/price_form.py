"""The form of one price."""

from typing import Any, ClassVar

from django import forms

from ingestion.admin.price_line import LineFields
from ingestion.models import PriceEntry
from ingestion.pricing.absurdity import absurd
from ingestion.pricing.catalogues.base import Key
from ingestion.pricing.plausibility import excess_decimals
from ingestion.quoting.appending import TakenError, standing
from teams.admin.scoped import ModelForm


class PriceEntryForm(LineFields, ModelForm):
    """One new price."""

    token_class = forms.CharField(
        label="Token class",
        max_length=40,
        widget=forms.TextInput(attrs={"list": "token-classes", "autocomplete": "off"}),
        help_text="input, output, cache_read, … or unit:NAME for what is billed by the piece, such as unit:web_search.",
    )
    replace = forms.BooleanField(
        label="Replace it",
        required=False,
        help_text="If there is a price of this line from that very instant: this one corrects it.",
    )

    class Meta:
        model = PriceEntry
        exclude: ClassVar[list[str]] = []

    def clean_token_class(self) -> str:
        """Classes are stored in lower case; the model knows which there are."""
        name: str = self.cleaned_data["token_class"].strip().lower()
        return name

    def clean(self) -> dict[str, Any] | None:
        """A price is believed within reason, and a line says one thing at an instant."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and cleaned["price"] is not None:
            key = Key(*(cleaned[name] for name in Key._fields))
            reason = excess_decimals(cleaned["price"], key.token_class) or absurd(
                cleaned["price"], key, cleaned["organization"]
            )
            if reason:
                self.add_error("price", reason)
        self.check_match(cleaned)
        self.check_owner(cleaned)
        if not self.errors and not cleaned["replace"]:
            names = [field.name for field in PriceEntry._meta.fields if field.name in cleaned]
            taken = standing(PriceEntry(**{name: cleaned[name] for name in names}))
            if taken is not None:
                raise forms.ValidationError(str(TakenError([taken])))
        return cleaned
