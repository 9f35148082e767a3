"""Who asks: an API key or a signed-in browser, turned into a `Scope`. For plain views and for the REST framework."""

import base64
import binascii
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from teams import access
from teams.access import Scope
from teams.models import ApiKey, User
from teams.roles import KeyScope
from teams.services import find_key, note_use

CHALLENGE: Final = 'Bearer realm="metrics portal"'  # value of WWW-Authenticate beside a 401
SESSION_ORGANIZATION: Final = "organization"  # session key: slug of the organization looked at last
ORGANIZATION_PARAMETER: Final = "organization"  # query parameter by which a browser names another one of its own
_HEADER_LIMIT: Final = 1024  # characters; a key has 59, more is not read


class SignedInRequest(HttpRequest):
    """A request behind `login_required`: its user is a person."""

    user: User


class ScopedRequest(Request):
    """A request that passed `HasScope`: `scope` says what may be seen."""

    scope: Scope


def authenticate_key(header: str | None, needed: KeyScope, now: datetime) -> tuple[ApiKey, Scope] | None:
    """The key of an Authorization header with what it may see, or None, answered 401 with `CHALLENGE`.

    None covers: no header, an unreadable one, a key that is unknown, revoked, expired or without the scope `needed`.
    """
    key = identify_key(header, now)
    scope = access.scope_of_key(key, needed, now) if key else None
    return (key, scope) if key and scope else None


def identify_key(header: str | None, now: datetime) -> ApiKey | None:
    """The living key of an Authorization header, whatever it may be used for, or None. Notes its use."""
    key = find_key(_key_text(header or ""), now)
    if key is not None:
        note_use(key, now)
    return key


def _key_text(header: str) -> str:
    """What stands where a key belongs: `Bearer KEY`, or HTTP Basic with the key as password. "" = nothing readable."""
    scheme, _, value = header[:_HEADER_LIMIT].partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
            except (binascii.Error, ValueError):
                return ""
        case _:
            return ""


class KeyAuthentication(authentication.BaseAuthentication):
    """An API key. Sets `request.scope`, None when the key lacks the view's `key_scope`: `HasScope` then refuses."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """The key's owner and the key; None without an Authorization header. Raises AuthenticationFailed (401)."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        now = timezone.now()
        key = identify_key(header, now)
        if key is None:
            raise exceptions.AuthenticationFailed("The key is not valid.")
        needed = key_scope_of(request)
        scope = access.scope_of_key(key, needed, now)
        if scope is None and needed in key.scopes:
            raise exceptions.AuthenticationFailed("The key is not valid.")  # its owner may see nothing here any more
        if request.query_params.get(ORGANIZATION_PARAMETER, key.organization.slug) != key.organization.slug:
            raise exceptions.NotFound
        _set_scope(request, scope)
        return key.owner, key

    def authenticate_header(self, request: Request) -> str:
        """The challenge beside every 401."""
        return CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """A signed-in browser, with CSRF. Sets `request.scope` for the organization that the browser is looking at."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        """The person; None when nobody is signed in. Raises NotFound for an organization that is none of theirs."""
        found = super().authenticate(request)
        if found is None:
            return None
        user: User = found[0]
        _set_scope(request, scope_of_session(request._request, user))
        return user, None


def scope_of_session(request: HttpRequest, user: User) -> Scope | None:
    """The scope in the organization named by the query, else looked at last, else the first; None without any.

    Raises NotFound when the query names an organization that does not exist or is none of theirs.
    """
    named = request.GET.get(ORGANIZATION_PARAMETER)
    if named is not None:
        found = access.find_organization(user, named) if "\0" not in named else None
        if found is None:
            raise exceptions.NotFound
        return found[1]
    current = request.session.get(SESSION_ORGANIZATION)
    found = access.find_organization(user, current) if current else None
    if found is not None:
        return found[1]
    return next((access.scope_of_user(user, organization) for organization in access.organizations_of(user)), None)


def key_scope_of(request: Request) -> KeyScope:
    """What the view needs of a key: its attribute `key_scope`, else READ."""
    view = (request.parser_context or {}).get("view")
    return getattr(view, "key_scope", KeyScope.READ)


def _set_scope(request: Request, scope: Scope | None) -> None:
    request.scope = scope  # type: ignore[attr-defined]  # read through ScopedRequest behind HasScope


class _KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """Describes `KeyAuthentication` in the OpenAPI file."""

    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        """An HTTP bearer scheme."""
        return build_bearer_security_scheme_object("Authorization", "Bearer")


class _SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """Describes `SessionAuthentication` in the OpenAPI file."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        """The session cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
