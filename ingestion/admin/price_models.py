"""The price book by model: what each costs and since when, what has no price, and the history of one."""

from typing import Any, Final
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from ingestion.admin import price_links as links
from ingestion.admin import price_words as words
from ingestion.admin.price_imports import ImportingAdmin
from ingestion.models import PriceEntry
from ingestion.models.prices import MANUAL
from ingestion.quoting import traffic
from ingestion.quoting.history import timeline
from ingestion.quoting.speaking import ORDER, Speaking, book, prices
from teams.admin.scoped import is_operator
from teams.models import Organization

PER_PAGE: Final = 50
_MOST_PERIODS: Final = 200
_MOST_UNPRICED: Final = 20


class ModelsAdmin(ImportingAdmin):
    """Makes the list of models the start page of the price book; that of single entries is one click away."""

    def get_urls(self) -> list[URLPattern]:
        """The start page has the name to which Django's own pages return."""
        view = self.admin_site.admin_view
        entries = [one for one in super().get_urls() if one.name != "ingestion_priceentry_changelist"]
        return [
            path("", view(self.models_view), name="ingestion_priceentry_changelist"),
            path("entries/", view(self.changelist_view), name="ingestion_priceentry_entries"),
            path("model/", view(self.model_view), name="ingestion_priceentry_model"),
            *entries,
        ]

    def models_view(self, request: HttpRequest) -> HttpResponse:
        """Unpriced models on top, then all with their prices, a page at a time."""
        organization = self.chosen(request)
        search = request.GET.get("q", "").strip()[:256]
        only = "unpriced" if request.GET.get("only") == "unpriced" else ""
        found = traffic.models(organization, timezone.now(), search) if organization else []
        unpriced = sorted((one for one in found if one.unpriced.requests), key=lambda one: -one.unpriced.requests)
        page = Paginator(unpriced if only else found, PER_PAGE).get_page(request.GET.get("p"))
        context = {
            "title": "Price book",
            "search": search,
            "only": only,
            "page": page,
            "summary": words.summary(found),
            "unpriced": [words.unpriced_row(one, organization) for one in unpriced[:_MOST_UNPRICED]],
            "unpriced_left": len(unpriced) - _MOST_UNPRICED,
            "rows": self._rows(page.object_list, organization),
        }
        return self._models_page(request, organization, "models", context)

    def model_view(self, request: HttpRequest) -> HttpResponse:
        """One model: its prices, why they hold, and how they came to be."""
        organization = self.chosen(request)
        provider, name = self.named(request)
        if organization is None or not name:
            raise Http404
        now = timezone.now()
        all_ = Speaking(book(organization).select_related("created_by"), [name], organization)
        speaking, known_as = all_.of(provider, name), all_.known_as(provider, name)
        found = traffic.model(organization, provider, name, now)
        conditions = words.conditions(speaking)
        tables = [(title, prices(speaking, now, tier=tier, tokens=tokens)) for title, tier, tokens in conditions]
        winners = {one.known.stored.pk for _, table in tables for one in table if one.known}
        periods = timeline(speaking, winners, now)
        context = {
            "title": name,
            "model": found,
            "figures": words.figures(found),
            "tables": words.tables(tables),
            "fallbacks": words.fallbacks(tables[0][1]),
            "order": ORDER,
            "periods": [words.period(one, self.may_add_to(request, one.entry)) for one in periods[:_MOST_PERIODS]],
            "periods_left": len(periods) - _MOST_PERIODS,
            "known_as": "" if known_as == (provider, name.lower()) else " of ".join(filter(None, known_as[::-1])),
            "overrides": words.overrides(organization, provider, name),
            "price_url": links.price_url(organization, found),
            "reprice_url": links.reprice_url(organization, found),
            "is_priced": any(one.known for one in tables[0][1]),
        }
        return self._models_page(request, organization, "model", context)

    def chosen(self, request: HttpRequest) -> Organization | None:
        """The organization that the page is about: the one asked for, else the first; None when there is none yet.

        Raises PermissionDenied for those who manage no prices, Http404 for an organization that is not theirs.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        mine, asked = self.visible_organizations(request).order_by("name", "pk"), request.GET.get("organization", "")
        if not asked:
            return mine.first()
        found = mine.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 19 else None
        if found is None:
            raise Http404
        return found

    def named(self, request: HttpRequest) -> tuple[str, str]:
        """Provider and name of a model as the query string has them. Raises Http404 for what no model can be called."""
        provider, name = request.GET.get("provider", ""), request.GET.get("model", "")
        if len(provider) > 64 or len(name) > 256 or "\0" in provider + name:
            raise Http404
        return provider, name

    def may_add_to(self, request: HttpRequest, entry: PriceEntry) -> bool:
        """Whether the person may add an entry to the line of that one: imports end what they imported."""
        return entry.source == MANUAL and (
            is_operator(request) if entry.organization_id is None else self.has_add_permission(request)
        )

    def _rows(self, models: Any, organization: Organization | None) -> list[words.Row]:
        speaking = Speaking(book(organization), [one.name for one in models], organization)
        return [words.row(one, speaking, organization, timezone.now()) for one in models]

    def _models_page(
        self, request: HttpRequest, organization: Organization | None, name: str, context: dict[str, Any]
    ) -> TemplateResponse:
        choices = self.visible_organizations(request).order_by("name", "pk")
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "organization": organization,
            "organizations": choices,
            "has_choice": choices.count() > 1,
            "has_add_permission": self.has_add_permission(request),
            "start": f"{reverse('admin:ingestion_priceentry_changelist')}?{urlencode(_of(organization))}",
        }
        return TemplateResponse(request, f"admin/ingestion/priceentry/{name}.html", shared | context)


def _of(organization: Organization | None) -> dict[str, int]:
    return {"organization": organization.pk} if organization else {}
