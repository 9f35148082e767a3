"""Where the pages of the price book lead: to a model, to the form that prices it, to its repricing."""

from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from ingestion.models import PriceEntry
from ingestion.models.prices import MatchKind
from ingestion.quoting.traffic import Model
from metricsportal.lib.localtime import zone
from teams.models import Organization


def model_url(organization: Organization | None, model: Model) -> str:
    """The page of a model; of a pattern, the entries that have it."""
    if model.match_kind != MatchKind.EXACT:
        return f"{reverse('admin:ingestion_priceentry_entries')}?{urlencode({'q': model.name})}"
    return f"{reverse('admin:ingestion_priceentry_model')}?{_query(organization, model)}"


def price_url(organization: Organization | None, model: Model) -> str:
    """The form that prices a model."""
    return f"{reverse('admin:ingestion_priceentry_price')}?{_query(organization, model)}"


def reprice_url(organization: Organization, model: Model) -> str:
    """The form that prices the stored requests of a model anew, from its first unpriced one until today."""
    choice = {"organization": organization.pk, "model": model.name, "reason": f"Price of {model.name}"[:300]}
    if model.unpriced.first:
        choice["first"] = f"{model.unpriced.first.astimezone(zone(organization.zone)):%Y-%m-%d}"
    return f"{reverse('admin:ingestion_repricerun_add')}?{urlencode(choice)}"


def _query(organization: Organization | None, model: Model) -> str:
    choice = {"organization": organization.pk} if organization else {}
    return urlencode(choice | {"provider": model.provider, "model": model.name})


def again(entry: PriceEntry, *, at: datetime | None = None, **fields: str) -> str:
    """The form of another entry of the same line."""
    columns = ("organization", "team", "virtual_account")
    owners = {name: getattr(entry, f"{name}_id") for name in columns if getattr(entry, f"{name}_id")}
    names = ("provider", "model_match", "match_kind", "token_class", "service_tier", "context_above")
    price = "" if entry.price is None else f"{entry.price.normalize():f}"
    choice = {name: getattr(entry, name) for name in names} | {"price": price} | fields
    choice |= {"effective_from": at.isoformat()} if at else {}
    return f"{reverse('admin:ingestion_priceentry_add')}?{urlencode(owners | choice)}"


def end_url(entry: PriceEntry) -> str:
    """The form that ends the line of an entry from now on."""
    return again(entry, price="")
