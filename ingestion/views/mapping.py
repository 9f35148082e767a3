"""The page on which administrators map attributes of their sources to our fields."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from ingestion import rules as acts
from ingestion import trial
from ingestion.views.mapping_form import RuleForm, values_of
from ingestion.views.targets import FORMATS, label_of
from teams.access import Scope
from teams.pages import Organization, organization_page
from teams.roles import Capability

if TYPE_CHECKING:
    from ingestion.models import AttributeRule
    from teams.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(Capability.MANAGE_PEOPLE)
def rules(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The rules in their order, and a form for one more."""
    form = RuleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            added = acts.add_rule(
                actor=_actor(request),
                organization=organization,
                attribute=form.cleaned_data["attribute"],
                target=form.chosen,
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            return _done(request, organization, f"“{added.attribute}” fills {label_of(added.target)} from now on.")
    return _page(request, organization, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(Capability.MANAGE_PEOPLE)
def rule(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """The same page with a form that changes one rule."""
    found = _found(organization, number)
    form = RuleForm(request.POST or None, initial=values_of(found.attribute, found.target))
    if request.method == "POST" and form.is_valid():
        try:
            acts.change_rule(
                actor=_actor(request), rule=found, attribute=form.cleaned_data["attribute"], target=form.chosen
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            return _done(request, organization, f"“{found.attribute}” fills {label_of(found.target)} from now on.")
    return _page(request, organization, form=form, edited=found)


@require_POST
@organization_page(Capability.MANAGE_PEOPLE)
def move(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """One place up, or down."""
    steps = -1 if request.POST.get("to") == "up" else 1
    acts.move_rule(actor=_actor(request), rule=_found(organization, number), steps=steps)
    return redirect("mapping", organization.slug)


@require_POST
@organization_page(Capability.MANAGE_PEOPLE)
def remove(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """End a rule."""
    found = _found(organization, number)
    acts.remove_rule(actor=_actor(request), rule=found)
    return _done(request, organization, f"“{found.attribute}” fills {label_of(found.target)} no more.")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("record")
@organization_page(Capability.MANAGE_PEOPLE)
def try_record(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """What becomes of a pasted record. The text itself never comes back: it may hold what people wrote."""
    if request.method != "POST":  # somebody opens the address of an answer again
        return redirect("mapping", organization.slug)
    try:
        tried = trial.try_out(organization, request.POST.get("record", ""), timezone.now())
        outcome: dict[str, Any] = {"trial": tried, "read_as": FORMATS.get(tried.format, tried.format)}
    except trial.RefusedError as refusal:
        outcome = {"refusal": str(refusal)}
    return _page(request, organization, form=RuleForm(), **outcome)


def _page(request: HttpRequest, organization: Organization, **more: Any) -> HttpResponse:
    listed = [(one, label_of(one.target)) for one in acts.rules_of(organization)]
    context = {"organization": organization, "rules": listed, "most": acts.MOST_RULES, **more}
    return render(request, "ingestion/mapping.html", context)


def _done(request: HttpRequest, organization: Organization, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("mapping", organization.slug)


def _found(organization: Organization, number: int) -> "AttributeRule":
    found = acts.find_rule(organization, number)
    if found is None:
        raise Http404
    return found


def _actor(request: HttpRequest) -> "User":
    return cast("User", request.user)  # organization_page lets nobody else in
