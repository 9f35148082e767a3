"""The forms of the mapping page. What is allowed is said by `ingestion.rules` alone."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ingestion.formats.mapping import METADATA
from ingestion.rules import ATTRIBUTE_LENGTH
from ingestion.validation import METADATA_KEY_LENGTH
from ingestion.views.targets import CHOICES, METADATA_KEY

_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class RuleForm(forms.Form):
    """One rule; a metadata key is a choice and a text."""

    attribute = forms.CharField(
        label="Attribute",
        required=False,
        widget=forms.TextInput(attrs=_PLAIN | {"maxlength": ATTRIBUTE_LENGTH, "placeholder": "metadata.department"}),
    )
    target = forms.CharField(label="Fills", required=False, widget=forms.Select(choices=CHOICES))
    key = forms.CharField(
        label="Metadata key",
        required=False,
        widget=forms.TextInput(attrs=_PLAIN | {"maxlength": METADATA_KEY_LENGTH, "placeholder": "department"}),
    )

    def clean(self) -> dict[str, Any]:
        """A key belongs to the choice of metadata alone."""
        if self.cleaned_data.get("key") and self.cleaned_data.get("target") != METADATA_KEY:
            self.add_error("key", "Leave this empty, or choose “Metadata key …” beside it.")
        return self.cleaned_data

    @property
    def chosen(self) -> str:
        """The target as rules name it."""
        target: str = self.cleaned_data["target"]
        return METADATA + self.cleaned_data["key"] if target == METADATA_KEY else target

    def refuse(self, error: ValidationError) -> None:
        """Show why the rule is not allowed, beside what is wrong."""
        found = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
        place = "key" if self.cleaned_data.get("target") == METADATA_KEY else "target"
        for field, sentences in found.items():
            self.add_error({"target": place, "__all__": None}.get(field, field), list(sentences))


def values_of(attribute: str, target: str) -> dict[str, str]:
    """What the form shows of a rule."""
    if target.startswith(METADATA):
        return {"attribute": attribute, "target": METADATA_KEY, "key": target.removeprefix(METADATA)}
    return {"attribute": attribute, "target": target}
