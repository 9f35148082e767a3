"""A new password by e-mail. No answer tells whether an address has an account, and no link signs anybody in."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from teams import letters, lockout
from teams.forms import ResetForm


@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest) -> HttpResponse:
    """Takes an address and answers the same for each; the mail, if there is one to send, is a worker's."""
    form = ResetForm(request.POST or None)
    if form.is_valid():
        letters.ask_for_reset(form.cleaned_data["email"])
        return redirect("password-reset-sent")
    return render(request, "teams/reset.html", {"form": form})


@require_safe
def reset_sent(request: HttpRequest) -> HttpResponse:
    """Says where to look."""
    return render(request, "teams/reset_sent.html")


class ResetConfirm(PasswordResetConfirmView):
    """The form behind the link of the mail. A new password ends all sessions of the person, and the wait."""

    template_name = "teams/reset_confirm.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form: "SetPasswordForm[Any]") -> HttpResponse:
        """Store it, and let the person try again at once."""
        response = super().form_valid(form)
        lockout.forgive(form.user.email)
        messages.success(self.request, "Your password was changed. Sign in with the new one.")
        return response
