"""What the pages of the settings share: who acts, acts that may be refused, the answer afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from teams import directory
from teams.access import Scope
from teams.pages import Organization

if TYPE_CHECKING:
    from teams.models import User

_T = TypeVar("_T")
_LABELS: Final = {
    "settings-people": "People",
    "settings-teams": "Teams",
    "settings-callers": "Callers",
    "settings-accounts": "Virtual accounts",
    "settings-models": "Models",
    "settings-keys": "Keys",
    "settings-sign-in": "Sign-in",
    "settings-audit": "Audit log",
}


@dataclass(frozen=True, slots=True)
class Tried(Generic[_T]):
    """What came of an act: its value, or why it was refused."""

    value: _T | None = None
    status: int = 200
    error: ValidationError | None = None

    @property
    def refused(self) -> bool:
        """Whether nothing was changed."""
        return self.error is not None


def attempt(act: Callable[[], _T]) -> Tried[_T]:
    """Act. A broken rule becomes 400 with its sentence, a missing right 403 with its."""
    try:
        return Tried(act())
    except PermissionDenied as refusal:
        return Tried(status=403, error=ValidationError(str(refusal) or "Your role does not allow this."))
    except ValidationError as refusal:
        return Tried(status=400, error=refusal)


def actor(request: HttpRequest) -> "User":
    """Who is signed in."""
    return cast("User", request.user)  # organization_page lets nobody else in


def found(row: _T | None) -> _T:
    """The row, or 404: the same for what is not there and what belongs to another organization."""
    if row is None:
        raise Http404
    return row


def page(
    request: HttpRequest,
    template: str,
    organization: Organization,
    scope: Scope,
    *,
    tried: Tried[Any] | None = None,
    **context: Any,
) -> HttpResponse:
    """A page of the settings with its sections; what was refused stands above everything else."""
    if tried is not None and tried.error is not None:
        context["refusals"] = tried.error.messages
    names = directory.sections(scope)
    context |= {"organization": organization, "sections": [(name, _LABELS[name]) for name in names]}
    return render(request, f"teams/settings/{template}", context, status=tried.status if tried else 200)


def searched(request: HttpRequest) -> str:
    """What was typed into the search of a list."""
    return request.GET.get("q", "").replace("\0", "").strip()[:254]


def done(request: HttpRequest, sentence: str, name: str, *args: object) -> HttpResponse:
    """Say what was done on the page to which it leads."""
    messages.success(request, sentence)
    return redirect(name, *args)
