"""Settings: models and virtual models, those that traffic named and those that it will."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from analytics.catalog.dimensions import NO_VALUE
from analytics.dashboards.costs import price_url
from analytics.dashboards.names import recent
from analytics.views.names_form import ModelForm, VirtualModelForm
from ingestion.provisioning import lists
from ingestion.provisioning.models import register_model, register_virtual_model
from metricsportal.lib.formats import exact
from teams.access import Scope
from teams.forms import refuse
from teams.pages import Organization, organization_page
from teams.roles import Capability
from teams.views.acting import Tried, actor, attempt, page, searched

if TYPE_CHECKING:
    from django.core.paginator import Page

_Lines = list[dict[str, Any]]


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(Capability.MANAGE_PRICES)
def models(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Models, or with `show=virtual` virtual models; POST registers one."""
    virtual = request.GET.get("show") == "virtual"
    form = (VirtualModelForm if virtual else ModelForm)(request.POST if request.method == "POST" else None)
    tried: Tried[Any] = Tried(status=400 if form.is_bound else 200)
    if form.is_bound and form.is_valid():
        register: Callable[..., object] = register_virtual_model if virtual else register_model
        tried = attempt(lambda: register(actor=actor(request), organization=organization, **form.cleaned_data))
        if tried.error is None:
            messages.success(request, f"{tried.value} is registered.")
            return redirect(request.get_full_path())  # the same list
        refuse(form, tried.error)
    asked = (organization, searched(request), request.GET.get("page", ""))
    lines, rows = _virtual_lines(scope, *asked) if virtual else _lines(scope, *asked)
    return page(
        request,
        "models.html",
        organization,
        scope,
        tried=Tried(status=tried.status),
        virtual=virtual,
        form=form,
        rows=rows,
        lines=lines,
        search=searched(request),
    )


def _lines(scope: Scope, organization: Organization, search: str, number: str) -> "tuple[_Lines, Page[Any]]":
    """Models with their use and where their price is set."""
    rows = lists.models(organization, search, number)
    used = recent(scope, ("model", "provider"), [row.name for row in rows], timezone.now())
    return [
        {
            "row": row,
            "used": exact(used.get((row.name, row.provider or NO_VALUE), 0)),
            "price": price_url(scope.organization_id, row.provider, row.name),
        }
        for row in rows
    ], rows


def _virtual_lines(scope: Scope, organization: Organization, search: str, number: str) -> "tuple[_Lines, Page[Any]]":
    rows = lists.virtual_models(organization, search, number)
    used = recent(scope, ("virtual_model",), [row.name for row in rows], timezone.now())
    return [{"row": row, "used": exact(used.get((row.name,), 0))} for row in rows], rows
