"""Pages of mails: the outbox for finance, where mails may go, and the end of a subscription."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics.chargeback import mails as outbox
from analytics.chargeback import unsubscribing
from teams.access import Scope
from teams.pages import Organization, organization_page
from teams.roles import Capability
from teams.services import finance_mails
from teams.services.recipients import set_mail_rules

if TYPE_CHECKING:
    from teams.models import User


@require_safe
@organization_page(Capability.MANAGE_CHARGEBACK)
def mails(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Every mail, newest first."""
    return _mails(request, organization)


@require_POST
@organization_page(Capability.MANAGE_CHARGEBACK)
def rules(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Where mails may go, and when summaries are due."""
    domains, hour = request.POST.get("domains", ""), request.POST.get("hour", "").strip()
    number = int(hour) if hour.isascii() and hour.isdigit() and len(hour) <= 2 else -1
    try:
        set_mail_rules(actor=_actor(request), organization=organization, domains=domains, hour=number)
    except ValidationError as error:
        return _mails(request, organization, wrong=error.messages, domains=domains, hour=hour)
    messages.success(request, "Saved.")
    return redirect("mails", organization.slug)


@require_POST
@organization_page(Capability.MANAGE_CHARGEBACK)
def again(request: HttpRequest, organization: Organization, scope: Scope, mail: int) -> HttpResponse:
    """Send a failed or uncertain mail again."""
    done = outbox.again(actor=_actor(request), organization=organization, number=mail, now=datetime.now(UTC))
    if done is None:
        raise Http404
    if done:
        messages.success(request, "It will be sent again within five minutes.")
    else:
        messages.error(request, "It is on its way already: nothing was changed.")
    return redirect("mails", organization.slug)


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the signed link is the right to it
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """End what a link in a mail is about. Reading the page ends nothing: programs that check links read it too."""
    found = unsubscribing.find(token)
    if found is None:
        raise Http404
    ended = False
    if request.method == "POST":
        unsubscribing.end(found)
        ended = True
    return render(request, "analytics/unsubscribe.html", {"found": found, "ended": ended or not found.on})


def _mails(
    request: HttpRequest,
    organization: Organization,
    *,
    wrong: list[str] | None = None,
    domains: str | None = None,
    hour: str | None = None,
) -> HttpResponse:
    state = request.GET.get("state", "")
    shown, rows = outbox.page_of(organization, state, request.GET.get("page", ""))
    context = {
        "organization": organization,
        "shown": shown,
        "rows": rows,
        "counts": outbox.counts(organization),
        "state": state,
        "wrong": wrong,
        "domains": "\n".join(organization.mail_domains) if domains is None else domains,
        "hour": organization.summary_hour if hour is None else hour,
        "kinds": finance_mails.KINDS,
        "chosen": finance_mails.chosen(_actor(request), organization),
    }
    return render(request, "analytics/statements/mails.html", context, status=400 if wrong else 200)


def _actor(request: HttpRequest) -> "User":
    return cast("User", request.user)  # organization_page lets nobody else in
