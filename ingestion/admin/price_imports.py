"""Catalogues of prices in the administration: a file is uploaded, its difference shown, and that confirmed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, Final, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from ingestion.models import PriceEntry
from ingestion.pricing.catalogues import files, own_csv
from ingestion.pricing.catalogues.base import Catalogue, UnreadableError, instant, part
from ingestion.pricing.catalogues.diff import Change, Kind
from ingestion.pricing.imports import ChangedError, Plan, append, plan
from metricsportal.lib import csv_stream
from teams.admin.scoped import ScopedAdmin, is_operator, person
from teams.models import Organization

LARGEST_FILE: Final = 8 * 2**20
HOLDS: Final = timedelta(hours=1)
"""How long a comparison may be confirmed."""
_SALT: Final = "ingestion.price-import"
_TITLES: Final = {Kind.CHANGED: "Changed", Kind.GONE: "Gone: no price from then on", Kind.NEW: "New"}


class ImportForm(forms.Form):
    """The file, whom its prices are for, and from when on."""

    organization = forms.ModelChoiceField(Organization.objects.none())
    file = forms.FileField(help_text="LiteLLM's price file (JSON) or our CSV.")
    name = forms.CharField(
        max_length=32,
        required=False,
        help_text="Name of the catalogue, so that its next edition is compared with this one. Empty: litellm or csv.",
    )
    effective_from = forms.DateTimeField(help_text="Start of the prices that have no date of their own, in UTC.")

    def __init__(self, *args: Any, organizations: QuerySet[Organization], operator: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"] = forms.ModelChoiceField(
            organizations, required=not operator, empty_label="every organization" if operator else None
        )
        self.fields["effective_from"].initial = timezone.now().replace(microsecond=0)
        self.catalogue: Catalogue | None = None
        self.content = b""

    def clean_file(self) -> Any:
        """Small enough to be read at once."""
        file = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(f"The file is larger than {LARGEST_FILE // 2**20} MiB.")
        return file

    def clean(self) -> dict[str, Any]:
        """Read the catalogue."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self.content = cleaned["file"].read()
            try:
                self.catalogue = files.read(self.content, name=cleaned["name"])
            except UnreadableError as error:
                self.add_error("file", str(error))
        return cleaned


class Line(NamedTuple):
    """A row of the table of differences."""

    provider: str
    model: str
    match: str
    part: str
    old: str
    new: str
    since: str


class ImportingAdmin(ScopedAdmin):
    """Adds the import of catalogues to the price book's pages.

    Between the two steps nothing is kept on the server: the file goes to the browser and back, signed, with the
    fingerprint of what was shown, so any node may take the second step.
    """

    import_template: ClassVar[str] = "admin/ingestion/priceentry/import.html"

    def get_urls(self) -> list[URLPattern]:
        """The pages of imports before those of entries."""
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="ingestion_priceentry_import"),
            path("import/template.csv", view(self.template_view), name="ingestion_priceentry_template"),
            *super().get_urls(),
        ]

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """The CSV to fill in."""
        self._allow(request)
        headers = {"Content-Disposition": 'attachment; filename="prices.csv"'}
        return HttpResponse(own_csv.template(), content_type=csv_stream.CONTENT_TYPE, headers=headers)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Upload, then look, then confirm."""
        self._allow(request)
        if "pending" in request.POST:
            return self._confirm(request)
        posted = (request.POST, request.FILES) if request.method == "POST" else ()
        form = ImportForm(*posted, organizations=self.organizations(request), operator=is_operator(request))
        if form.is_bound and form.is_valid() and form.catalogue is not None:
            found = plan(
                catalogue=form.catalogue,
                organization=form.cleaned_data["organization"],
                effective_from=form.cleaned_data["effective_from"],
            )
            pending = _signed(found, form.content, request)
            if len(pending) < (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or len(pending) + 1) * 0.9:
                return self._page(request, found=found, pending=pending)
            form.add_error("file", "The file is too large to be confirmed here: use manage.py import_prices.")
        return self._page(request, form=form)

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        try:
            sent = signing.loads(request.POST["pending"], salt=_SALT, max_age=HOLDS)
        except signing.BadSignature:
            sent = {"person": None}
        if sent["person"] != person(request).pk:
            self.message_user(request, "That comparison has expired. Upload the file again.", messages.ERROR)
            return redirect("admin:ingestion_priceentry_import")
        content = sent["content"].encode("latin-1")
        shown = plan(
            catalogue=files.read(content, name=sent["name"]),
            organization=self._target(request, sent["organization"]),
            effective_from=instant(sent["effective_from"]),
        )
        try:
            with transaction.atomic():
                done = append(shown=shown, digest=sent["digest"], actor=person(request))
                _keep_history(request, done)
        except ChangedError as error:
            self.message_user(request, f"{error} Nothing was written.", messages.WARNING)
            return self._page(request, found=error.plan, pending=_signed(error.plan, content, request))
        count = len(done.diff.changes)
        sentence = f"{count:,} entries appended. Stored requests keep their cost until they are repriced."
        self.message_user(request, sentence, messages.SUCCESS)
        return redirect(reverse("admin:ingestion_priceentry_changelist"))

    def _allow(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _target(self, request: HttpRequest, organization_id: int | None) -> Organization | None:
        """Whom the prices are for, as far as the person may still set them."""
        if organization_id is not None:
            organization = self.organizations(request).filter(pk=organization_id).first()
            if organization is not None:
                return organization
        elif is_operator(request):
            return None
        raise PermissionDenied

    def _page(self, request: HttpRequest, **context: Any) -> TemplateResponse:
        found: Plan | None = context.get("found")
        context |= self.admin_site.each_context(request)
        context |= {"opts": self.opts, "title": "Import prices", **(_shown(found) if found else {})}
        return TemplateResponse(request, self.import_template, context)


def _shown(found: Plan) -> dict[str, Any]:
    """The difference, as the template loops over it: a Counter answers 0 when a template asks for its items."""
    sections = [(kind.value, title, list(_lines(found, kind))) for kind, title in _TITLES.items()]
    return {
        "counts": list(found.counts.items()),
        "sections": [section for section in sections if section[2]],
        "ignored": found.catalogue.ignored.most_common(),
    }


def _signed(found: Plan, content: bytes, request: HttpRequest) -> str:
    """Everything that the second step needs, readable only as it was written."""
    return signing.dumps(
        {
            "content": content.decode("latin-1"),  # JSON has no bytes
            "name": found.catalogue.name,
            "organization": found.organization.pk if found.organization else None,
            "effective_from": found.effective_from.isoformat(),
            "digest": found.digest,
            "person": person(request).pk,
        },
        salt=_SALT,
        compress=True,
    )


def _keep_history(request: HttpRequest, done: Plan) -> None:
    """An organization has its audit log; what all share is kept by Django's own history."""
    if done.organization is None and done.diff.changes:
        LogEntry.objects.create(
            user=person(request),
            content_type=ContentType.objects.get_for_model(PriceEntry),
            object_repr=done.catalogue.source,
            action_flag=ADDITION,
            change_message=", ".join(f"{count} {name}" for name, count in done.counts.items()),
        )


def _lines(found: Plan, kind: Kind) -> Iterator[Line]:
    for change in found.diff.of(kind):
        key = change.key
        since = f"{change.since:%Y-%m-%d %H:%M}"
        yield Line(
            key.provider, key.model_match, key.match_kind, part(key), _usd(change, "old"), _usd(change, "new"), since
        )


def _usd(change: Change, name: str) -> str:
    price = getattr(change, name)
    return "no price" if price is None else f"{price.normalize():f}"
