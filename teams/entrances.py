"""Sessions: the only place that opens one, and what each request is told of how its own was opened."""

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import get_user, login
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from teams import access, lockout, services
from teams.models import Entrance, IdentityProvider, User

_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
_PROVIDER: Final = "entrance_provider"
_FACTOR: Final = "entrance_second_factor"
_WAITING: Final = "second_factor_waits"
WAIT_SECONDS: Final = 600  # between the password and the second factor


class EntranceMiddleware:
    """Tells the person of a request how the session was opened, for `User.opens`. Costs nothing until asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]  # as Django does
        return self.get_response(request)


def _person(request: HttpRequest) -> User | AnonymousUser:
    if not hasattr(request, "_cached_user"):
        request._cached_user = get_user(request)  # type: ignore[attr-defined]  # Django's own memory of it
    user: User | AnonymousUser = request._cached_user  # type: ignore[attr-defined]
    if not user.is_authenticated:
        return user
    provider = request.session.get(_PROVIDER)
    if provider and user.is_superuser:  # became an operator since: no provider speaks for those
        return AnonymousUser()
    user.entrance = Entrance(UUID(provider) if provider else None, bool(request.session.get(_FACTOR)))
    return user


def enter_by_password(request: HttpRequest, user: User) -> bool:
    """Open a session for whoever knew the password; False when a second factor has to be asked for first."""
    if not services.has_factor(user):
        _enter(request, user, Entrance())
        return True
    request.session.cycle_key()
    request.session[_WAITING] = [user.pk, user.get_session_auth_hash(), time.time()]
    return False


def locked_out(user: User) -> bool:
    """Whether no organization of the person lets passwords in: then a right one opens nothing at all."""
    user.entrance = Entrance(second_factor=True)
    return not access.organizations_of(user) and access.closed_organization(user) is not None


def waiting(request: HttpRequest) -> User | None:
    """Whose second factor is asked for: the password was right, minutes ago, and is the same still."""
    match request.session.get(_WAITING):
        case [int(number), str(digest), float(at)] if time.time() - at < WAIT_SECONDS:
            user = User.objects.filter(pk=number, is_active=True).first()
            if user is not None and constant_time_compare(digest, user.get_session_auth_hash()):
                return user
    return None


def enter_by_factor(request: HttpRequest, user: User) -> None:
    """Open the session of somebody whose second factor was right."""
    _Codes(request, user).forgive()
    _enter(request, user, Entrance(second_factor=True))


def enter_by_provider(request: HttpRequest, user: User, provider: IdentityProvider) -> None:
    """Open a session that reaches the organization of the provider and no other."""
    _enter(request, user, Entrance(provider=provider.pk))


def note_factor(request: HttpRequest) -> None:
    """The person of a password session has just proved a second factor."""
    request.session.cycle_key()
    request.session[_FACTOR] = True


class _Codes:
    """Wrong codes of one account, counted as wrong passwords are, but apart: a new password forgives none of them."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        self.request, self.name = request, f"{user.email} (code)"

    def allowed(self) -> bool:
        """Whether another code is looked at."""
        return bool(AxesProxyHandler.is_allowed(self.request, {"username": self.name}))

    def count(self) -> None:
        """One more wrong one."""
        AxesProxyHandler.user_login_failed(sender=_Codes, credentials={"username": self.name}, request=self.request)

    def forgive(self) -> None:
        """A right one."""
        lockout.forgive(self.name)


def try_code(request: HttpRequest, user: User, check: Callable[[], bool]) -> bool | HttpResponse:
    """Look at a code, unless too many wrong ones came before: then the answer that says so."""
    codes = _Codes(request, user)
    if not codes.allowed():
        return lockout.locked(request, None, None)
    if check():
        return True
    codes.count()
    return False if codes.allowed() else lockout.locked(request, None, None)


def _enter(request: HttpRequest, user: User, entrance: Entrance) -> None:
    """A session with a new id. What another way in left in the old one does not stay."""
    for name in (_PROVIDER, _FACTOR, _WAITING):
        request.session.pop(name, None)
    login(request, user, backend=_BACKEND)
    if entrance.provider is not None:
        request.session[_PROVIDER] = str(entrance.provider)
    if entrance.second_factor:
        request.session[_FACTOR] = True
    user.entrance = entrance
