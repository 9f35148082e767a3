"""Mails about the whole organization: who wants which, what they look like, a test."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from analytics.chargeback import finance, recipients
from analytics.chargeback.recipients import NoPreviewError
from analytics.views.recipients import OF_A_MAIL
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
    try:
        context["mail"] = recipients.parts(_made(request, organization, kind))
    except NoPreviewError as refusal:
        context["refusal"] = str(refusal)
    return render(request, "analytics/statements/preview.html", context)


@require_safe
@xframe_options_sameorigin
@organization_page(Capability.MANAGE_CHARGEBACK)
def html(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The HTML of that mail, for the frame of the preview."""
    try:
        mail = recipients.parts(_made(request, organization, request.GET.get("kind", "weekly")))
    except NoPreviewError:
        raise Http404 from None
    return HttpResponse(mail["html"], headers={"Content-Security-Policy": OF_A_MAIL})


@require_POST
@organization_page(Capability.MANAGE_CHARGEBACK)
def test(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Send a mail to the person who is signed in, as a test."""
    kind, person, now = request.POST.get("kind", "weekly"), _actor(request), datetime.now(UTC)
    try:
        refused = recipients.told(finance.send_test(actor=person, organization=organization, kind=kind, now=now))
    except NoPreviewError as refusal:
        refused = str(refusal)
    except ValidationError as refusal:
        refused = " ".join(refusal.messages)
    if refused:
        messages.error(request, refused)
    else:
        messages.success(request, f"A test is on its way to {person.email}.")
    return redirect("mails", organization.slug)


def _made(request: HttpRequest, organization: Organization, kind: str) -> Any:  # noqa: ANN401 - a message of Django
    return finance.preview(organization, kind, _actor(request).email, datetime.now(UTC))


def _actor(request: HttpRequest) -> "User":
    return cast("User", request.user)  # organization_page lets nobody else in
