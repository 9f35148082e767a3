"""Forms of the pages for people."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UsernameField

_NO_MATCH = "E-mail and password do not match. Check both and try again."


class SignInForm(AuthenticationForm):
    """E-mail and password. Unknown people, wrong passwords and disabled people read the same sentence."""

    error_messages = {"invalid_login": _NO_MATCH, "inactive": _NO_MATCH}

    username = UsernameField(
        label="E-mail",
        widget=forms.EmailInput(
            attrs={"autofocus": True, "autocomplete": "username", "placeholder": "you@company.com"}
        ),
    )


class NewPasswordForm(PasswordChangeForm):
    """The old password once, the new one twice."""

    # Without the autofocus of the original: the profile page shows other things first.
    old_password = forms.CharField(
        label="Old password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
