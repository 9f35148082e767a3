"""Repricing for those who manage prices: choose, look at the preview, confirm, watch; and all runs of the past."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Min, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from ingestion.models import PriceEntry, RepriceRun
from ingestion.repricing import runs
from ingestion.repricing.report import report, signed
from ingestion.repricing.selection import SelectionError, select
from ingestion.repricing.tally import Tally, tally_of
from metricsportal.lib.formats import exact
from teams import doorbell
from teams.admin.frozen import Frozen
from teams.admin.scoped import ModelForm, ScopedAdmin, is_operator, person
from teams.roles import Capability

_RECENT: Final = timedelta(days=30)
_MOST_LINES: Final = 50
_SECONDS: Final = "3"
_TASK: Final = "ingestion.tasks.reprice"
_CHOICES: Final = ("organization", ("first", "last"), "model", "virtual_model", "team", "reason")
_FACTS: Final = (
    *("organization", "start", "end", "model", "virtual_model", "team", "reason", "price_book_version"),
    *("requested_by", "created_at", "state", "progress", "trouble"),
)


class RepriceForm(ModelForm):
    """What to look at, and why. It changes nothing: first there is a preview."""

    first = forms.DateField(label="From", help_text="First day, in the reporting zone of the organization.")
    last = forms.DateField(label="To", help_text="Last day, inclusive.")

    reason = forms.CharField(max_length=300, help_text="Why; it goes into the audit log.")

    class Meta:
        model = RepriceRun
        fields: ClassVar[list[str]] = ["organization", "model", "virtual_model", "team", "reason"]

    def clean(self) -> dict[str, Any] | None:
        """The selection must be one; names are looked for in the chosen organization alone."""
        cleaned = super().clean() or self.cleaned_data
        names = ("model", "virtual_model", "team")
        if {"organization", "first", "last", *names} <= cleaned.keys() and cleaned["organization"]:
            filters = {name: cleaned[name] for name in names}
            try:
                self.selection = select(
                    cleaned["organization"], first=cleaned["first"], last=cleaned["last"], **filters
                )
            except SelectionError as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return cleaned


@admin.register(RepriceRun)
class RepriceRunAdmin(Frozen, ScopedAdmin):
    """Runs of repricing. A run is proposed by the form, shown with its preview, and applied when confirmed."""

    capability = Capability.MANAGE_PRICES
    services_audit = True
    form = RepriceForm
    change_form_template = "admin/ingestion/repricerun/change_form.html"
    list_display = ["__str__", "organization", "start", "end", "model", "state", "progress", "changed", "difference"]
    list_filter = ["state", "organization"]
    list_select_related = ["organization"]
    readonly_fields = ["progress"]

    @admin.display(description="progress")
    def progress(self, run: RepriceRun) -> str:
        """Requests looked at, of those there were."""
        done = _tally(run).total.requests
        return f"{exact(done)} of {exact(max(done, run.expected))} requests"

    @admin.display(description="changed requests")
    def changed(self, run: RepriceRun) -> str:
        """How many; in a preview, how many it would be."""
        return exact(_tally(run).total.changed)

    @admin.display(description="difference")
    def difference(self, run: RepriceRun) -> str:
        """In US dollars."""
        return signed(_tally(run).total.difference)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever manages prices of some organization; the form offers no other one."""
        return ScopedAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is chosen; later what came of it."""
        return _CHOICES if obj is None else _FACTS

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Since the earliest day for which a price was added lately, until today."""
        now = timezone.now()
        initial = {"first": self._first_day(request, now), "last": now.astimezone(UTC).date()}
        return initial | super().get_changeform_initial_data(request)

    def get_urls(self) -> list[URLPattern]:
        """Also the confirmation."""
        apply = path("<int:pk>/apply/", self.admin_site.admin_view(self.apply), name="ingestion_repricerun_apply")
        return [apply, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Propose the run; a worker makes its preview."""
        run = runs.propose(actor=person(request), selection=form.selection, reason=form.cleaned_data["reason"])
        obj.pk = run.pk
        doorbell.ring_after_commit(_TASK, run.pk)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """To the preview."""
        return redirect(_page(obj.pk))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The run with its preview or result; read again every few seconds while somebody works on it."""
        run = self.get_object(request, object_id)
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **(_shown(run) if run else {})}
        )
        if run and run.state in runs.WORKING and request.method == "GET":
            response["Refresh"] = _SECONDS
        return response

    def apply(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Confirm the preview."""
        return require_POST(self._apply)(request, pk)

    def _apply(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self.get_queryset(request).select_related("organization").filter(pk=pk).first()
        if run is None:
            raise Http404
        try:
            with transaction.atomic():
                runs.confirm(actor=person(request), run=run, now=timezone.now())
                doorbell.ring_after_commit(_TASK, run.pk)
        except runs.RepriceRefusedError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return redirect(_page(pk))

    def _first_day(self, request: HttpRequest, now: datetime) -> date:
        entries = PriceEntry.objects.filter(created_at__gte=now - _RECENT)
        if not is_operator(request):
            entries = entries.filter(Q(organization__in=self.organizations(request)) | Q(organization=None))
        earliest = entries.aggregate(first=Min("effective_from"))["first"]
        start: datetime = min(earliest, now) if earliest else now.replace(day=1)
        return start.astimezone(UTC).date()


def _tally(run: RepriceRun) -> Tally:
    confirmed = run.state in (runs.State.APPLYING, runs.State.APPLIED)
    return tally_of(run.result if confirmed else run.result or run.preview)


def _page(pk: int) -> str:
    return reverse("admin:ingestion_repricerun_change", args=[pk])


def _shown(run: RepriceRun) -> dict[str, Any]:
    """What the page tells beside the columns of the row."""
    found = report(_tally(run), run.organization)
    return {
        "found": found,
        "tables": [
            (title, [line.cells for line in lines[:_MOST_LINES]], max(0, len(lines) - _MOST_LINES))
            for title, lines in (("Model", found.models), ("Team", found.teams))
        ],
        "working": run.state in runs.WORKING,
        "may_apply": run.state == runs.State.PREVIEWED and found.total.sums.changed > 0,
    }
