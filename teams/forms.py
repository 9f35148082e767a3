"""Forms of the pages for people."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm, UsernameField
from django.core.exceptions import ValidationError

from teams.models import Theme, Times
from teams.roles import KEY_SCOPES, OrganizationRole, TeamRole

Choice = tuple[int | str, str]
_LAST_YEAR: Final = 2999

if TYPE_CHECKING:
    _SetPasswordForm = SetPasswordForm[Any]
else:
    _SetPasswordForm = SetPasswordForm
_NO_MATCH = "E-mail and password do not match. Check both and try again."


def _choices(roles: Iterable[str]) -> list[Choice]:
    return [(str(role), str(role).capitalize()) for role in roles]


class SignInForm(AuthenticationForm):
    """E-mail and password. Unknown people, wrong passwords and disabled people read the same sentence."""

    error_messages = {"invalid_login": _NO_MATCH, "inactive": _NO_MATCH}

    username = UsernameField(
        label="E-mail",
        widget=forms.EmailInput(
            attrs={"autofocus": True, "autocomplete": "username", "placeholder": "you@company.com"}
        ),
    )


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=32,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
        ),
    )


class ConfirmForm(forms.Form):
    """The own password once more; `number` is what is changed."""

    number = forms.IntegerField(required=False, widget=forms.HiddenInput)
    password = forms.CharField(
        label="Your password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class AppForm(ConfirmForm):
    """The first code of an app."""

    code = forms.CharField(
        label="Code that the app shows",
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}),
    )
    field_order = ["code", "password"]


class PasskeyForm(ConfirmForm):
    """A name for what the browser makes."""

    name = forms.CharField(
        label="Name of the passkey",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Laptop"}),
    )
    credential = forms.CharField(max_length=20_000, widget=forms.HiddenInput)
    field_order = ["name", "password"]


class NewPasswordForm(PasswordChangeForm):
    """The old password once, the new one twice."""

    # Without the autofocus of the original: the profile page shows other things first.
    old_password = forms.CharField(
        label="Old password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PreferencesForm(forms.Form):
    """How pages look to a person, and in which zone they write times."""

    theme = forms.ChoiceField(choices=Theme)
    times = forms.ChoiceField(choices=Times)


class InviteForm(forms.Form):
    """An address, what it will be in the organization, and perhaps a team."""

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@company.com"}),
    )
    role = forms.ChoiceField(label="Role", initial=OrganizationRole.MEMBER)
    team = forms.TypedChoiceField(label="Team (optional)", coerce=int, empty_value=None, required=False)
    team_role = forms.ChoiceField(
        label="In the team", choices=_choices(TeamRole), initial=TeamRole.VIEWER, required=False
    )

    def __init__(self, *args: Any, roles: Iterable[str], teams: Iterable[Choice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "role", _choices(roles))
        choose(self, "team", [("", "None"), *teams])


class ResetForm(forms.Form):
    """The address that gets a link for a new password."""

    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True})
    )


class AcceptForm(_SetPasswordForm):
    """The name and the first password of somebody new."""

    name = forms.CharField(
        label="Your name", max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    field_order = ["name", "new_password1", "new_password2"]


class TeamForm(forms.Form):
    """The name of a team."""

    name = forms.CharField(label="Name", max_length=256, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class TeamMemberForm(forms.Form):
    """Somebody of the organization, and the role in the team."""

    email = forms.EmailField(
        label="E-mail of a member of the organization",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@company.com"}),
    )
    role = forms.ChoiceField(label="Role", choices=_choices(TeamRole), initial=TeamRole.VIEWER)


class KeyForm(forms.Form):
    """What a new key is called, may do, and until when. It belongs to whoever creates it."""

    name = forms.CharField(
        label="Name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Gateway"})
    )
    team = forms.TypedChoiceField(label="Bound to a team", coerce=int, empty_value=None, required=False)
    expires_on = forms.DateField(
        label="Last day (optional)", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    scopes = forms.MultipleChoiceField(
        label="May", choices=list(KEY_SCOPES.items()), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, teams: Iterable[Choice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "team", [("", "No, the whole organization"), *teams])

    def clean_expires_on(self) -> date | None:
        """A day that has a next one."""
        day: date | None = self.cleaned_data["expires_on"]
        if day is not None and day.year > _LAST_YEAR:
            raise ValidationError("Choose a day of this millennium, or none.")
        return day


class RotateForm(forms.Form):
    """How long the old key works beside the new one."""

    overlap = forms.TypedChoiceField(
        coerce=int, choices=[(24, "in 24 hours"), (168, "in 7 days"), (0, "at once")], label="The old key ends"
    )


class AuditFilter(forms.Form):
    """Whose acts, and which; nothing is everything."""

    person = forms.ChoiceField(label="Person", required=False)
    act = forms.ChoiceField(label="Act", required=False)

    def __init__(self, *args: Any, people: Iterable[Choice], acts: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "person", [("", "Everybody"), *people])
        choose(self, "act", [("", "Everything"), *((act, act) for act in acts)])


def choose(form: forms.Form, name: str, choices: list[Choice]) -> None:
    """Offer choices that depend on who asks."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - a mistake of ours, not of who sends
    field.choices = choices


def refuse(form: forms.Form, error: ValidationError) -> None:
    """Tell each broken rule at its field, where the form has one."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, messages in error.message_dict.items():
        form.add_error(name if name in form.fields else None, messages)
