"""The page of shared costs: rules by which costs of nobody's own are split between teams."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from analytics.chargeback.months import month_of
from analytics.chargeback.sharing import acts, form
from analytics.chargeback.sharing.acts import SharingError
from teams.access import Scope
from teams.pages import Organization, organization_page
from teams.roles import Capability

if TYPE_CHECKING:
    from analytics.models import SharingRule
    from teams.models import User

_finance = organization_page(Capability.MANAGE_CHARGEBACK)


@require_http_methods(["GET", "HEAD", "POST"])
@_finance
def sharing(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The rules with a form; POST adds one."""
    now = datetime.now(UTC)
    context: dict[str, Any] = {"organization": organization}
    if request.method != "POST":
        context |= form.context(organization, month_of(now, organization))
        return render(request, "analytics/statements/sharing.html", context)
    sent, teams = request.POST.dict(), request.POST.getlist("team")
    try:
        acts.add(actor=_actor(request), organization=organization, wanted=form.wanted(sent, teams), now=now)
    except SharingError as refusal:
        context |= form.context(organization, month_of(now, organization), form.typed(sent, teams))
        return render(request, "analytics/statements/sharing.html", context | {"refusal": str(refusal)}, status=400)
    messages.success(request, "The rule is saved. It counts for months that are not closed yet.")
    return redirect("shared-costs", organization.slug)


@require_POST
@_finance
def switch(request: HttpRequest, organization: Organization, scope: Scope, rule: int) -> HttpResponse:
    """Switch a rule on or off."""
    active = request.POST.get("active") == "on"
    acts.switch(actor=_actor(request), rule=_found(scope, rule), active=active)
    messages.success(request, "The rule shares again." if active else "Nothing of it is shared from its month on.")
    return redirect("shared-costs", organization.slug)


@require_POST
@_finance
def delete(request: HttpRequest, organization: Organization, scope: Scope, rule: int) -> HttpResponse:
    """Forget a rule."""
    acts.delete(actor=_actor(request), rule=_found(scope, rule))
    messages.success(request, "The rule is deleted. Closed months stay as they are.")
    return redirect("shared-costs", organization.slug)


def _found(scope: Scope, number: int) -> "SharingRule":
    found = form.find(scope, number)
    if found is None:
        raise Http404
    return found


def _actor(request: HttpRequest) -> "User":
    return cast("User", request.user)  # organization_page lets nobody else in
