"""Mails about the whole organization: who wants which, what they look like, a test."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from analytics.chargeback import finance
from analytics.views import previews
from teams.access import Scope
from teams.pages import Organization, organization_page
from teams.roles import Capability
from teams.services.finance_mails import KINDS, choose_mails

if TYPE_CHECKING:
    from teams.models import User


@require_POST
@organization_page(Capability.MANAGE_CHARGEBACK)
def choose(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Which of them the person who is signed in wants."""
    kinds = request.POST.getlist("kind")
    try:
        choose_mails(actor=_actor(request), organization=organization, kinds=kinds, now=datetime.now(UTC))
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, "Saved: these mails go to you.")
    return redirect("mails", organization.slug)


@require_safe
@organization_page(Capability.MANAGE_CHARGEBACK)
def preview(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """A mail as it would be made now."""
    kind = request.GET.get("kind", "weekly")
    context: dict[str, Any] = {"organization": organization, "kind": kind, "kinds": KINDS}
    context["html"] = f"{reverse('finance-mail-html', args=[organization.slug])}?{urlencode({'kind': kind})}"
    return previews.shown(request, context, lambda: _made(request, organization, kind))


@require_safe
@xframe_options_sameorigin
@organization_page(Capability.MANAGE_CHARGEBACK)
def html(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The HTML of that mail, for the frame of the preview."""
    return previews.framed(lambda: _made(request, organization, request.GET.get("kind", "weekly")))


@require_POST
@organization_page(Capability.MANAGE_CHARGEBACK)
def test(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Send a mail to the person who is signed in, as a test."""
    kind, person, now = request.POST.get("kind", "weekly"), _actor(request), datetime.now(UTC)
    previews.tried(
        request,
        person.email,
        lambda: finance.send_test(actor=person, organization=organization, kind=kind, now=now),
    )
    return redirect("mails", organization.slug)


def _made(request: HttpRequest, organization: Organization, kind: str) -> EmailMultiAlternatives:
    return finance.preview(organization, kind, _actor(request).email, datetime.now(UTC))


def _actor(request: HttpRequest) -> "User":
    return cast("User", request.user)  # organization_page lets nobody else in
