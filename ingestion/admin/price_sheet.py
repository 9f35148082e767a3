"""Price a model: all classes in one form, with an example bill while they are typed, stored together or not at all."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from ingestion.admin.price_models import ModelsAdmin
from ingestion.admin.price_sheet_form import PriceSheetForm
from ingestion.models.prices import MatchKind
from ingestion.pricing.arithmetic import STANDARD
from ingestion.pricing.matching import ANY_PROVIDER
from ingestion.quoting import traffic
from ingestion.quoting.appending import TakenError, append
from ingestion.quoting.bill import Bill, bill
from ingestion.quoting.comparing import catalogue_price, label
from ingestion.quoting.offer import Offer
from ingestion.quoting.speaking import Speaking, book, plain, prices
from teams.admin.scoped import is_operator, person
from teams.models import Organization


class SheetAdmin(ModelsAdmin):
    """Adds the form that prices a model, and the bill that its page asks for."""

    def get_urls(self) -> list[URLPattern]:
        """Before the pages of entries."""
        view = self.admin_site.admin_view
        return [
            path("price/", view(self.price_view), name="ingestion_priceentry_price"),
            path("price/bill/", view(require_POST(self.bill_view)), name="ingestion_priceentry_bill"),
            *super().get_urls(),
        ]

    def price_view(self, request: HttpRequest) -> HttpResponse:
        """The form; "Preview" shows the bill without a script, "Save" appends all entries."""
        self._allow(request)
        organization = self.chosen(request)
        provider, name = self.named(request)
        form = self._form(request, organization, provider, name)
        if form.is_bound and form.is_valid() and form.offer is not None and "_save" in request.POST:
            try:
                return self._save(request, form.offer, replace=form.cleaned_data["replace"])
            except TakenError as taken:
                form.refuse(taken)
        shown = bill(form.offer, timezone.now()) if form.is_bound and form.offer is not None else None
        context = {
            "title": f"Price {name}" if name else "Price a model",
            "form": form,
            "classes": _classes(form, organization, provider, name),
            "bill": shown,
        }
        return self._models_page(request, organization, "price", context)

    def bill_view(self, request: HttpRequest) -> HttpResponseBase:
        """The bill of what is typed, as JSON: its examples, or what is wrong per field."""
        self._allow(request)
        form = self._form(request, None, "", "")
        form.is_valid()
        errors = {name: list(texts) for name, texts in form.errors.items()}
        shown = bill(form.offer, timezone.now()) if form.offer is not None else None
        return JsonResponse({"errors": errors, "taken": form.taken is not None, "bill": _document(shown)})

    def _form(
        self, request: HttpRequest, organization: Organization | None, provider: str, name: str
    ) -> PriceSheetForm:
        own: dict[str, Any] = {
            "organizations": self.organizations(request).order_by("name", "pk"),
            "operator": is_operator(request),
        }
        if request.method == "POST":
            return PriceSheetForm(request.POST, **own)
        initial = {
            "organization": organization,
            "provider": provider or ANY_PROVIDER,
            "model_match": name.lower(),
            "match_kind": MatchKind.EXACT.value,
            "effective_from": _start(organization, provider, name),
        }
        return PriceSheetForm(initial=initial, **own)

    def _save(self, request: HttpRequest, offer: Offer, *, replace: bool) -> HttpResponse:
        """All entries with their entries of the audit log, or none. Raises TakenError."""
        with transaction.atomic():
            for entry in append(entries=offer.entries, actor=person(request), replace=replace):
                self.log_addition(request, entry, [{"added": {}}])
        count = len(offer.entries)
        sentence = f"{count} price{'s' if count > 1 else ''} added. Stored requests keep their cost until repriced."
        self.message_user(request, sentence, messages.SUCCESS)
        if offer.match_kind != MatchKind.EXACT:
            return redirect(f"{reverse('admin:ingestion_priceentry_entries')}?{urlencode({'q': offer.model_match})}")
        provider, name = offer.example
        chosen = {"organization": offer.organization.pk} if offer.organization else {}
        address = urlencode(chosen | {"provider": provider, "model": name})
        return redirect(f"{reverse('admin:ingestion_priceentry_model')}?{address}")

    def _allow(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied


def _start(organization: Organization | None, provider: str, name: str) -> Any:
    """The first unpriced request of the model, to the second, or now."""
    first = traffic.first_unpriced(organization, provider, name) if organization and name else None
    return (first or timezone.now()).replace(microsecond=0)


def _classes(form: PriceSheetForm, organization: Organization | None, provider: str, name: str) -> list[dict[str, Any]]:
    """The rows of the form: each class with what it costs now and in the catalogue."""
    now = timezone.now()
    speaking = Speaking(book(organization), [name], organization).of(provider, name) if name else []
    current = {one.token_class: one.price for one in prices(speaking, now)}
    rows = []
    for token_class, field, is_usual in form.class_fields():
        listed = catalogue_price(speaking, token_class, STANDARD, 0, now)
        price = current.get(token_class)
        rows.append(
            {
                "name": token_class,
                "label": label(token_class),
                "field": field,
                "usual": is_usual,
                "now": "" if price is None else plain(price),
                "catalogue": "" if listed is None else plain(listed.price),
            }
        )
    return rows


def _document(shown: Bill | None) -> dict[str, Any] | None:
    """The bill as plain JSON values."""
    if shown is None:
        return None
    return {
        "examples": [one._asdict() | {"lines": [line._asdict() for line in one.lines]} for one in shown.examples],
        "comparisons": [one._asdict() for one in shown.comparisons],
    }
