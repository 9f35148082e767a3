"""What the pages of callers, virtual accounts and models list: by name, a page at a time."""

from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from ingestion.models import OVERFLOW, LLMModel, VirtualModel
from ingestion.provisioning.kinds import CALLER, TEAM, Kind
from teams import services
from teams.models import Named, Organization

PAGE_LENGTH: Final = 50
OFFERED: Final = 100
"""Names that a form suggests, those last seen first; others can be typed."""


def names(
    kind: Kind, organization: Organization, *, search: str, team: int | None, unclaimed: bool, page: str
) -> Page[Any]:
    """Callers or accounts whose name (or e-mail) holds the text, of one team or all; not what became another one."""
    found = kind.rows(organization).filter(merged_into=None).select_related("team").order_by("name")
    if search:
        part = Q(name__icontains=search)
        found = found.filter(part | Q(email__icontains=search) if kind is CALLER else part)
    if team is not None:
        found = found.filter(team=team or None)
    if unclaimed:
        found = found.filter(claimed=False)
    return Paginator(found, PAGE_LENGTH).get_page(page)


def unclaimed(kind: Kind, organization: Organization) -> int:
    """How many names nobody has claimed."""
    return kind.rows(organization).filter(merged_into=None, claimed=False).count()


def find(kind: Kind, organization: Organization, number: int) -> Named | None:
    """One of them by its id; none that became another one."""
    rows = kind.rows(organization).filter(pk=number, merged_into=None)
    rows = rows if kind is TEAM else rows.select_related("team")
    found: Named | None = rows.first()
    return found


def named(kind: Kind, organization: Organization, name: str) -> Named | None:
    """The one of that name; for an earlier name, what it became."""
    return services.find(kind.model, organization, name)


def earlier(kind: Kind, row: Named) -> list[str]:
    """Names that traffic may still send for it."""
    rows: QuerySet[Any] = kind.model._default_manager.all()
    return list(rows.filter(merged_into=row.pk).order_by("name").values_list("name", flat=True))


def others(kind: Kind, organization: Organization, row: Named) -> list[str]:
    """Names into which it could be merged, last seen first."""
    rows = kind.rows(organization).filter(merged_into=None).exclude(pk=row.pk).exclude(name=OVERFLOW)
    return list(rows.order_by("-last_seen", "name").values_list("name", flat=True)[:OFFERED])


def models(organization: Organization, search: str, page: str) -> Page[LLMModel]:
    """Models, seen or registered, whose name or provider holds the text."""
    found = LLMModel.objects.filter(organization=organization).order_by("name", "provider")
    found = found.filter(Q(name__icontains=search) | Q(provider__icontains=search)) if search else found
    return Paginator(found, PAGE_LENGTH).get_page(page)


def virtual_models(organization: Organization, search: str, page: str) -> Page[VirtualModel]:
    """Virtual models, seen or registered, whose name holds the text."""
    found: QuerySet[VirtualModel] = VirtualModel.objects.filter(organization=organization).order_by("name")
    return Paginator(found.filter(name__icontains=search) if search else found, PAGE_LENGTH).get_page(page)
