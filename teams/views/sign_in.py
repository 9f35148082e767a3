"""Signing in: e-mail first, then the provider of its domain or a password, then perhaps a second factor.

No answer tells whether an address has an account: providers belong to domains, which say so themselves.
"""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from teams import entrances, services
from teams.forms import CodeForm, SignInForm

_THROUGH_PROVIDER = "Your organization signs in through its provider. Type your e-mail alone, and you are led there."


def led_to(request: HttpRequest) -> str:
    """Where `next` leads on this host, else home. Not to sign-in again: a signed-in person would never arrive."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if allowed and wanted.partition("?")[0] != reverse("sign-in") else reverse("home")


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SignIn(LoginView):
    """E-mail, and password where no provider is asked; a session with a new id on success."""

    template_name = "teams/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        """Where `next` leads, else home."""
        return led_to(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The e-mail comes first where somebody signs in through a provider."""
        first = services.any_provider() and not self.request.GET.keys() & {"password"} and self.request.method != "POST"
        return super().get_context_data(**({"email_first": first} | kwargs))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """An e-mail alone leads to its provider, or to the field for the password."""
        if "password" in request.POST:
            return super().post(request, *args, **kwargs)
        email = request.POST.get("username", "").replace("\0", "").strip()[:254]
        provider = services.provider_of_email(email)
        if provider is None:
            form = SignInForm(request, initial={"username": email})
            return self.render_to_response(self.get_context_data(form=form, email_first=False, typed=email))
        address = reverse("sso", args=[provider.address]) + "?" + urlencode({"next": led_to(request), "email": email})
        return render(
            request, "teams/leaving.html", {"provider": provider, "address": address, "next": led_to(request)}
        )

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """A session, or first the second factor; nothing where passwords open nothing."""
        user: Any = form.get_user()
        if entrances.locked_out(user):
            form.add_error(None, _THROUGH_PROVIDER)
            return self.form_invalid(form)
        if not entrances.enter_by_password(self.request, user):
            return redirect(reverse("sign-in-factor") + "?" + urlencode({"next": led_to(self.request)}))
        if services.must_have_factor(user):
            return redirect("second-factor")
        return redirect(led_to(self.request))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def factor(request: HttpRequest) -> HttpResponseBase:
    """The second factor of somebody whose password was right: a passkey, a code of the app, or a recovery code."""
    user = entrances.waiting(request)
    if user is None:
        return redirect("sign-in")
    form, credential = CodeForm(request.POST or None), request.POST.get("credential", "")
    if request.method == "POST" and credential:
        if services.check_passkey(user=user, credential=credential):
            entrances.enter_by_factor(request, user)
            return redirect(led_to(request))
        form = CodeForm({"code": ""})
        form.add_error(None, "This passkey is not one of yours, or it took too long. Try again.")
    elif form.is_valid():
        code = form.cleaned_data["code"]
        looked = entrances.try_code(request, user, lambda: services.check_code(user=user, code=code))
        if isinstance(looked, HttpResponse):
            return looked
        if looked:
            entrances.enter_by_factor(request, user)
            return redirect(led_to(request))
        form.add_error("code", "The code is not right, or it was used already. Enter the newest one.")
    options = services.begin_passkey_check(user)
    context = {"form": form, "options": options, "next": led_to(request)}
    return render(request, "teams/second_factor_asked.html", context)
