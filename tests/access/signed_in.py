"""F12, generated: signed in is enough, at one address after another, where a right is asked for."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import CellType
from typing import Any, Final
from unittest import mock

from django.contrib.auth.models import AbstractBaseUser
from rest_framework.permissions import IsAuthenticated

from metricsportal.lib import border
from teams import access, pages
from teams.access import Scope
from teams.models import Organization, User
from teams.permissions import HasScope
from tests.access.asking import views

_PAGE: Final = pages.organization_page.__qualname__
Broken = Callable[[], AbstractContextManager[Any]]


def faults() -> dict[tuple[str, str], Broken]:
    """By address and what is not asked for there any more."""
    found: dict[tuple[str, str], Broken] = {}
    for address, view in views().items():
        page, kind = _page(view), getattr(view, "cls", None)
        if page is not None:
            found[address, "membership"] = _anybody
            cell = page["capability"]
            if cell.cell_contents is not None:
                found[address, "capability"] = partial(_emptied, cell)
        if kind is not None and HasScope in kind.permission_classes:
            found[address, "scope"] = partial(mock.patch.object, kind, "permission_classes", [IsAuthenticated])
    return found


@contextmanager
def services() -> Iterator[None]:
    """What pages call lets everybody do everything: the second guard behind that of the page."""
    with (
        mock.patch("teams.access.Scope.allows", return_value=True),
        mock.patch("teams.services.rules.may", return_value=True),
        mock.patch("teams.services.providers.is_owner", return_value=True),
        mock.patch("teams.services.domains.is_owner", return_value=True),
    ):
        yield


def _page(view: Callable[..., Any]) -> dict[str, CellType] | None:
    """What `organization_page` around a view holds; None for other views."""
    inner: Any = view
    while inner is not None:
        code = getattr(inner, "__code__", None)
        if code is not None and code.co_qualname.startswith(_PAGE):
            return dict(zip(code.co_freevars, inner.__closure__, strict=True))
        inner = getattr(inner, "__wrapped__", None)
    return None


@contextmanager
def _emptied(cell: CellType) -> Iterator[None]:
    kept = cell.cell_contents
    cell.cell_contents = None
    try:
        yield
    finally:
        cell.cell_contents = kept


def _anybody() -> AbstractContextManager[Any]:
    """Whoever is signed in sees all of every organization."""

    def opened(user: User | AbstractBaseUser, slug: str) -> tuple[Organization, Scope] | None:
        # Behind the policies of PostgreSQL nothing would be found, and what the matrix must see stay hidden.
        with border.everything("as the real one"):
            organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            return None
        border.admit(organization.pk)
        return organization, access.scope_of_organization(organization)

    return mock.patch("teams.pages.find_organization", opened)
