"""Accepting an invitation: somebody new chooses a password, somebody known signs in first. Neither signs in here."""

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from teams import services
from teams.authentication import SignedInRequest
from teams.forms import AcceptForm

if TYPE_CHECKING:
    from teams.models import Invitation


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the link of an invitation opens. Looking accepts nothing: mail programs look at links too."""
    found = services.find_invitation(token, timezone.now())
    if found is None:
        return _over(request)
    mine = request.user.is_authenticated and request.user.email == found.email
    try:
        if services.needs_password(found) and not mine:
            return _somebody_new(request, token, found)
        if request.method == "POST":
            return _join(request, token)
        return _page(request, invitation=found)
    except ValidationError as refusal:
        return _over(request, " ".join(refusal.messages))


def _somebody_new(request: HttpRequest, token: str, invitation: "Invitation") -> HttpResponse:
    """No password where the provider is the only way in: it accepts the invitation on the way."""
    provider = services.only_way_in(invitation.organization)
    if provider is not None:
        return _page(request, invitation=invitation, provider=provider)
    form = AcceptForm(services.candidate(invitation), request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _join_new(request, token, form)
    return _page(request, invitation=invitation, form=form, status=400 if form.is_bound else 200)


def _join_new(request: HttpRequest, token: str, form: AcceptForm) -> HttpResponse:
    chosen = form.cleaned_data
    membership = services.accept_with_password(
        token=token, name=chosen["name"], password=chosen["new_password1"], now=timezone.now()
    )
    messages.success(request, f"You belong to {membership.organization.name} now. Sign in with your new password.")
    return redirect("sign-in")


def _join(request: HttpRequest, token: str) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    user = cast("SignedInRequest", request).user
    try:
        membership = services.accept_as(token=token, user=user, now=timezone.now())
    except PermissionDenied as refusal:
        return _page(request, refusal=str(refusal), status=403)
    messages.success(request, f"You belong to {membership.organization.name} now.")
    return redirect("profile")


def _over(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, reason=reason, status=404)


def _page(request: HttpRequest, *, status: int = 200, **context: object) -> HttpResponse:
    return render(request, "teams/invitation.html", context, status=status)
