"""Requests and ingest outcomes, to be looked at."""

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from ingestion.admin.base import ReadOnlyAdmin
from ingestion.models import IngestBatch, LLMRequest
from ingestion.records import CostState
from metricsportal.lib.money import usd_text
from teams.admin.scoped import is_operator

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

_NEWEST: Final = 10_000


class NewestPaginator(_Paginator):
    """Pages through the newest rows alone: counting all facts would take longer than showing a hundred of them."""

    @cached_property
    def count(self) -> int:
        """Number of rows to page through."""
        rows: Any = self.object_list
        return int(rows[:_NEWEST].count())


class CostStateFilter(admin.SimpleListFilter):
    """Where the cost comes from; a filter over the column's own values would read every fact."""

    title = parameter_name = "cost_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The closed list of states."""
        return [(state.value, state.value) for state in CostState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Requests in the chosen state."""
        chosen = self.value()
        return queryset.filter(cost_state=chosen) if chosen in {state.value for state in CostState} else queryset


@admin.register(LLMRequest)
class LLMRequestAdmin(ReadOnlyAdmin):
    """The newest requests, and any request by its id."""

    list_display = ["started_at", "request_id", "model", "virtual_model", "user", "team", "status_code", "state", "usd"]
    list_filter = ["failed", "streaming", CostStateFilter]
    list_select_related = ["model", "virtual_model", "user", "team"]
    list_per_page = 50
    ordering = ["-id"]
    paginator = NewestPaginator
    search_fields = ["request_id"]
    search_help_text = "The whole request id."
    exclude = ["payload_hash", "latency_bucket", "ttft_bucket", "itl_bucket", "tpot_bucket"]

    @admin.display(description="cost state")
    def state(self, request: LLMRequest) -> str:
        """Where the cost comes from."""
        return request.cost_state

    @admin.display(description="cost in USD", empty_value="unpriced")
    def usd(self, request: LLMRequest) -> str | None:
        """The exact cost."""
        return usd_text(request.cost)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """By the ids of the organizations: a sub-query over all facts would be slow."""
        requests = LLMRequest.objects.order_by(*self.ordering)
        if is_operator(request):
            return requests
        visible = list(self.visible_organizations(request).values_list("pk", flat=True))
        return requests.filter(organization_id__in=visible)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """The request with exactly that id, through the index."""
        term = search_term.strip()
        return (queryset.filter(request_id=term) if term and "\0" not in term else queryset), False


@admin.register(IngestBatch)
class IngestBatchAdmin(ReadOnlyAdmin):
    """What became of the records of every batch."""

    list_display = ["received_at", "organization", "source", "accepted", "duplicate", "conflict", "rejected", "capped"]
    list_filter = ["source", "organization"]
    list_select_related = ["organization"]
    paginator = NewestPaginator
