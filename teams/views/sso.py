"""To the provider of an organization and back. The only pages here are those that say why it did not work."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from teams import entrances, oidc, services
from teams.views.sign_in import led_to


@require_safe
def start(request: HttpRequest, number: UUID) -> HttpResponse:
    """Lead the browser to the provider."""
    provider = services.find_provider(number)
    if provider is None:
        raise Http404
    email = request.GET.get("email", "").replace("\0", "")[:254]
    try:
        return redirect(oidc.begin(request, provider, led_to(request), email))
    except oidc.ProviderError as error:
        return _refused(request, str(error), 502)


@require_safe
@sensitive_variables("answer")
def callback(request: HttpRequest, number: UUID) -> HttpResponse:
    """What the provider sends the browser back with."""
    provider = services.find_provider(number)
    if provider is None:
        raise Http404
    try:
        answer = oidc.finish(request, provider)
        user = services.admit(provider=provider, claims=answer.claims, now=timezone.now())
    except oidc.ForgedError as error:
        services.note_refused(provider=provider, email="", reason=str(error))
        return _refused(request, str(error), 403)
    except (oidc.ProviderError, services.NotAdmittedError) as error:
        return _refused(request, str(error), 403)
    entrances.enter_by_provider(request, user, provider)
    safe = url_has_allowed_host_and_scheme(answer.next, {request.get_host()}, require_https=request.is_secure())
    return redirect(answer.next if safe else "home")


def _refused(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    return render(request, "teams/not_let_in.html", {"reason": reason}, status=status)
