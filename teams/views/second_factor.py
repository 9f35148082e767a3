"""Profile: the own second factors. Each change asks for the password: whoever finds a browser open has none."""

from collections.abc import Callable
from functools import wraps
from typing import Final

from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from teams import entrances, letters, sealing, services
from teams.authentication import SignedInRequest
from teams.forms import AppForm, ConfirmForm, PasskeyForm, refuse

_ADDING: Final = "second_factor_app"  # session key: the sealed secret of an app that is being added
_View = Callable[[SignedInRequest], HttpResponse]


def _by_password(view: _View) -> Callable[..., HttpResponse]:
    """Only for sessions that a password opened: a provider must not change how others let the person in."""

    @wraps(view)
    def shown(request: SignedInRequest) -> HttpResponse:
        entrance = request.user.entrance
        if entrance is not None and entrance.provider is not None:
            return render(request, "teams/second_factor.html", {"through_provider": True}, status=403)
        return view(request)

    return sensitive_post_parameters()(login_required(shown))


@require_safe
@_by_password
def page(request: SignedInRequest) -> HttpResponse:
    """What the person has, and how to add more."""
    return _page(request)


@require_POST
@_by_password
def add_app(request: SignedInRequest) -> HttpResponse:
    """Add an app by a code that it shows."""
    form = AppForm(request.POST)
    if not _confirmed(request, form):
        return _page(request, app=form)
    try:
        codes = services.add_app(user=request.user, secret=_app_secret(request), code=form.cleaned_data["code"])
    except ValidationError as refusal:
        refuse(form, refusal)
        return _page(request, app=form)
    del request.session[_ADDING]
    return _added(request, codes)


@require_POST
@_by_password
def add_passkey(request: SignedInRequest) -> HttpResponse:
    """Add a passkey that the browser made."""
    form = PasskeyForm(request.POST)
    if not _confirmed(request, form):
        return _page(request, passkey=form)
    chosen = form.cleaned_data
    try:
        codes = services.add_passkey(user=request.user, name=chosen["name"], credential=chosen["credential"])
    except ValidationError as refusal:
        refuse(form, refusal)
        return _page(request, passkey=form)
    return _added(request, codes)


@require_POST
@_by_password
def new_codes(request: SignedInRequest) -> HttpResponse:
    """Other recovery codes."""
    form = ConfirmForm(request.POST)
    if not _confirmed(request, form):
        return _page(request, confirm=form)
    try:
        return _shown_once(request, services.new_recovery_codes(user=request.user))
    except ValidationError as refusal:
        refuse(form, refusal)
        return _page(request, confirm=form)


@require_POST
@_by_password
def remove(request: SignedInRequest) -> HttpResponse:
    """End one of the own factors."""
    form = ConfirmForm(request.POST)
    if not _confirmed(request, form):
        return _page(request, confirm=form)
    try:
        services.remove_own_factor(user=request.user, number=form.cleaned_data["number"] or 0)
    except ValidationError as refusal:
        refuse(form, refusal)
        return _page(request, confirm=form)
    letters.send_factor_removed(request.user, request.user)
    messages.success(request, "Removed.")
    return redirect("second-factor")


def _confirmed(request: SignedInRequest, form: ConfirmForm) -> bool:
    """Whether the form holds, with the password of the person; wrong ones count as they do at sign-in."""
    if not form.is_valid():
        return False
    person = authenticate(request, username=request.user.email, password=form.cleaned_data["password"])
    if person != request.user:
        form.add_error("password", "The password is not right.")
        return False
    return True


def _app_secret(request: HttpRequest) -> str:
    """The secret that the page shows, the same until it is used."""
    kept = request.session.get(_ADDING)
    try:
        return sealing.unseal(kept or "")
    except sealing.SealBrokenError:
        secret = services.new_app_secret()
        request.session[_ADDING] = sealing.seal(secret)
        return secret


def _added(request: SignedInRequest, codes: list[str]) -> HttpResponse:
    entrances.note_factor(request)
    messages.success(request, "Added. From now on your password alone does not sign anybody in.")
    return _shown_once(request, codes) if codes else redirect("second-factor")


def _shown_once(request: SignedInRequest, codes: list[str]) -> HttpResponse:
    response = render(request, "teams/recovery_codes.html", {"codes": codes})
    response["Cache-Control"] = "no-store"
    return response


def _page(
    request: SignedInRequest,
    *,
    app: AppForm | None = None,
    passkey: PasskeyForm | None = None,
    confirm: ConfirmForm | None = None,
) -> HttpResponse:
    user, factors = request.user, services.factors_of(request.user)
    secret = "" if factors.app else _app_secret(request)
    context = {
        "factors": factors,
        "required": services.must_have_factor(user),
        "secret": secret,
        "picture": services.app_picture(user, secret) if secret else "",
        "app": app or AppForm(),
        "passkey": passkey or PasskeyForm(),
        "confirm": confirm or ConfirmForm(auto_id=False),
        "options": services.begin_passkey(user) if services.passkeys_work() else None,
    }
    refused = any(form is not None and form.is_bound for form in (app, passkey, confirm))
    return render(request, "teams/second_factor.html", context, status=400 if refused else 200)
