"""Settings: how people of the organization sign in. Administrators may look; owners decide."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from teams import directory, oidc, services
from teams.access import Scope
from teams.forms import refuse
from teams.letters import send_factor_removed
from teams.pages import Organization, organization_page
from teams.provider_form import ProviderForm
from teams.roles import Capability
from teams.views.acting import Tried, actor, attempt, done, found, page

_administrators = organization_page(Capability.MANAGE_PEOPLE)
_HERE = "settings-sign-in"


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@_administrators
def provider(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The provider of the organization; POST asks it who it is, and stores it."""
    if request.method != "POST":
        return _page(request, organization, scope)
    form = _form(organization, request.POST)
    tried: Tried[Any] = Tried(status=400)
    if form.is_valid():
        chosen = form.cleaned_data
        tried = attempt(lambda: services.save_provider(actor=actor(request), organization=organization, **chosen))
        if tried.error is None:
            sentence = "The provider answered, and is stored. Prove its domains, then try it in another browser."
            return done(request, sentence, _HERE, organization.slug)
        refuse(form, tried.error)
    return _page(request, organization, scope, form=form, tried=Tried(status=tried.status))


@require_POST
@_administrators
def remove(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """End single sign-on."""
    tried = attempt(lambda: services.remove_provider(actor=actor(request), organization=organization))
    if tried.refused:
        return _page(request, organization, scope, tried=tried)
    return done(request, "People sign in by password now.", _HERE, organization.slug)


@require_POST
@_administrators
def domain(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Look whether the record stands in the DNS of a domain."""
    name = request.POST.get("domain", "").replace("\0", "")[:253]
    tried = attempt(
        lambda: services.check_domain(actor=actor(request), organization=organization, domain=name, now=timezone.now())
    )
    if tried.refused:
        return _page(request, organization, scope, tried=tried)
    return done(request, f"{name} is proven. Its people are led to the provider.", _HERE, organization.slug)


@require_POST
@_administrators
def only(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Through the provider alone, or by password as well."""
    on = request.POST.get("on") == "yes"
    tried = attempt(lambda: services.set_sso_only(actor=actor(request), organization=organization, sso_only=on))
    if tried.refused:
        return _page(request, organization, scope, tried=tried)
    sentence = "The provider is the only way in now." if on else "Passwords open the organization again."
    return done(request, sentence, _HERE, organization.slug)


@require_POST
@_administrators
def factor(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Whether a password needs a second factor beside it."""
    on = request.POST.get("on") == "yes"
    tried = attempt(
        lambda: services.require_second_factor(actor=actor(request), organization=organization, required=on)
    )
    if tried.refused:
        return _page(request, organization, scope, tried=tried)
    sentence = "Whoever signs in by password needs a second factor now." if on else "Second factors are optional now."
    return done(request, sentence, _HERE, organization.slug)


@require_POST
@_administrators
def reset_factors(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """End the second factors of a member who lost them."""
    member = found(directory.find_member(organization, number))
    tried = attempt(lambda: services.remove_factors(actor=actor(request), membership=member))
    if tried.refused:
        return _page(request, organization, scope, tried=tried)
    send_factor_removed(member.user, actor(request))
    sentence = f"The password alone signs {member.user.email} in now. A mail says so."
    return done(request, sentence, "settings-people", organization.slug)


def _form(organization: Organization, data: QueryDict | None = None) -> ProviderForm:
    current = directory.provider_of(organization)
    return ProviderForm(data, initial=directory.provider_words(current), teams=directory.teams_of(organization))


def _page(
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    *,
    form: ProviderForm | None = None,
    tried: Tried[Any] | None = None,
) -> HttpResponse:
    current = directory.provider_of(organization)
    entrance = actor(request).entrance
    return page(
        request,
        "sign_in.html",
        organization,
        scope,
        tried=tried,
        form=form or _form(organization),
        provider=current,
        address=oidc.callback_address(services.address_of(organization)),
        came_from_provider=bool(current and entrance and entrance.provider == current.pk),
        left_out=services.left_out(current) if current else [],
        may_decide=services.is_owner(actor(request), organization),
    )
