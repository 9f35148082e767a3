"""Forms of the pages of callers, virtual accounts and models."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms

from teams.forms import Choice, choose

_PLAIN: Final = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
NO_TEAM: Final = "0"


class AccountForm(forms.Form):
    """A virtual account that the gateway will send, and its team."""

    name = forms.CharField(label="Name, as the gateway sends it", max_length=256, widget=forms.TextInput(attrs=_PLAIN))
    team = forms.TypedChoiceField(label="Team (optional)", coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, teams: Iterable[Choice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "team", [("", "None"), *teams])


class ModelForm(forms.Form):
    """A model that requests will name."""

    name = forms.CharField(
        label="Model", max_length=256, widget=forms.TextInput(attrs=_PLAIN | {"placeholder": "gpt-5"})
    )
    provider = forms.CharField(
        label="Provider",
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs=_PLAIN | {"placeholder": "openai"}),
    )


class VirtualModelForm(forms.Form):
    """A name that callers will ask for."""

    name = forms.CharField(
        label="Virtual model", max_length=256, widget=forms.TextInput(attrs=_PLAIN | {"placeholder": "chat-default"})
    )


def number(text: str) -> int | None:
    """A number of an address or a form, None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
