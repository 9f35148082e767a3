"""Pages of budgets: the list with bars, the form with a preview, and what can be done to each."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics.budgets import anomaly_watches, form, page, reading, watching, writing
from analytics.budgets.webhooks.signing import secret_of
from analytics.query.values import InvalidQueryError
from teams.access import Scope
from teams.pages import Organization, organization_page

if TYPE_CHECKING:
    from analytics.models import Budget
    from teams.models import User


@require_safe
@organization_page()
def budgets(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Every budget that the viewer sees, with its bar."""
    now, shown = datetime.now(UTC), Paginator(reading.visible(scope), page.PAGE).get_page(request.GET.get("page"))
    context = {
        "organization": organization,
        "shown": shown,
        "rows": page.rows(shown.object_list, scope, now),
        "may_add": form.may_add(scope),
        "watches": watching.shown(organization, scope),
    }
    return render(request, "analytics/budgets/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page()
def add(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """A new budget; a preview first when it is asked for."""
    if not form.may_add(scope):
        raise PermissionDenied
    context: dict[str, Any] = {"organization": organization, "offered": form.offered(scope)}
    if request.method != "POST":
        return render(request, "analytics/budgets/form.html", context | {"typed": form.blank(_actor(request).email)})
    now, typed = datetime.now(UTC), form.typed(request.POST.dict())
    sent = form.parsed(typed, new=True)
    if "preview" in request.POST:
        return _form(
            request, context | {"typed": typed}, scope, now, lambda: writing.prepared(scope=scope, sent=sent, now=now)
        )
    return _form(
        request,
        context | {"typed": typed},
        scope,
        now,
        lambda: writing.create(scope=scope, actor=_actor(request), sent=sent, now=now),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page()
def change(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """One budget: its form for who may change it."""
    budget, now = _found(scope, number), datetime.now(UTC)
    if not reading.may_write(scope, budget.team_id):
        raise PermissionDenied
    context: dict[str, Any] = {"organization": organization, "budget": budget, "secret": secret_of(budget)}
    context |= {"row": page.row(budget, scope, now), "history": budget.amounts.select_related("set_by").reverse()[:20]}
    if request.method != "POST":
        return render(request, "analytics/budgets/form.html", context | {"typed": form.typed_of(budget)})
    typed = form.typed(request.POST.dict())
    sent = form.parsed(typed, new=False)
    if "preview" in request.POST:
        act: Callable[[], Budget] = lambda: writing.changed(scope=scope, budget=_found(scope, number), sent=sent)  # noqa: E731 - as below
        return _form(request, context | {"typed": typed}, scope, now, act)
    return _form(
        request,
        context | {"typed": typed},
        scope,
        now,
        lambda: writing.change(scope=scope, actor=_actor(request), budget=budget, sent=sent, now=now),
    )


@require_POST
@organization_page()
def delete(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """Remove a budget."""
    budget = _found(scope, number)
    writing.delete(scope=scope, actor=_actor(request), budget=budget)
    messages.success(request, f"The budget “{budget.name}” is deleted.")
    return redirect("budgets", organization.slug)


@require_POST
@organization_page()
def secret(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """Another secret for the webhook."""
    writing.new_secret(scope=scope, actor=_actor(request), budget=_found(scope, number))
    messages.success(request, "The webhook has a new secret; the one before signs nothing any more.")
    return redirect("budget", organization.slug, number)


@require_POST
@organization_page()
def watch(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Switch the notices about days that stand out on or off, for the organization or a team."""
    found = watching.find(organization, scope, request.POST.get("team", ""))
    if found is None:
        raise Http404
    try:
        minimum = Decimal(request.POST.get("minimum", "").strip())
        anomaly_watches.set_watch(
            actor=_actor(request),
            organization=organization,
            team=found.team,
            enabled=request.POST.get("enabled") == "on",
            minimum=minimum,
        )
    except (InvalidOperation, ValidationError) as error:
        told = " ".join(error.messages) if isinstance(error, ValidationError) else "The least difference is an amount."
        messages.error(request, told)
    else:
        messages.success(request, "Saved.")
    return redirect("budgets", organization.slug)


def _form(
    request: HttpRequest, context: dict[str, Any], scope: Scope, now: datetime, act: "Callable[[], Budget]"
) -> HttpResponse:
    """Act, then back to the list; a preview, and what is wrong, on the form as it was typed."""
    try:
        budget = act()
    except InvalidQueryError as error:
        wrong = [one.message for one in error.problems]
    except writing.ConflictError as error:
        wrong = [str(error)]
    else:
        if "preview" in request.POST:
            context["preview"] = form.preview(budget, scope, now)
            return render(request, "analytics/budgets/form.html", context)
        messages.success(request, f"The budget “{budget.name}” is saved.")
        return redirect("budgets", context["organization"].slug)
    return render(request, "analytics/budgets/form.html", context | {"wrong": wrong}, status=400)


def _found(scope: Scope, number: int) -> "Budget":
    """The budget, or 404: the same for what is not there and what the viewer does not see."""
    budget = reading.visible(scope).filter(pk=number).first()
    if budget is None:
        raise Http404
    return budget


def _actor(request: HttpRequest) -> "User":
    return cast("User", request.user)  # organization_page lets nobody else in
