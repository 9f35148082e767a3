"""Pages of providers' bills: upload, comparison, its file. For those who close months."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics.reconciliation import acts, generic, ours, presentation, showing
from analytics.reconciliation.reading import MOST_BYTES
from analytics.reconciliation.values import BillError
from metricsportal.lib import csv_stream
from teams.access import Scope
from teams.pages import Organization, organization_page
from teams.roles import Capability

if TYPE_CHECKING:
    from analytics.models import ProviderBill
    from teams.models import User

_finance = organization_page(Capability.MANAGE_CHARGEBACK)
_FORM_BYTES: Final = 64 * 1024
_ROLES: Final = (
    ("day", "UTC day"),
    ("model", "Model"),
    ("cost", "Cost"),
    ("currency", "Currency"),
    ("requests", "Requests"),
    ("token_class", "Token class"),
    ("quantity", "Tokens of that class"),
    ("input", "Input tokens"),
    ("cache_read", "Cached input tokens"),
    ("cache_write", "Cache write tokens"),
    ("output", "Output tokens"),
)


# Exempt until the size is known: to read the token of a form is to store its file.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_finance
def bills(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The bills with a form; POST keeps one more and leads to its comparison."""
    if request.method != "POST":
        return _form(request, organization, scope)
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > MOST_BYTES + _FORM_BYTES:
        request.upload_handlers = []
        text = f"The file is larger than {MOST_BYTES // 2**20} MB. Export fewer days, or split it."
        return _form(request, organization, scope, refusal=text, status=413, typed={})
    return _take(request, organization, scope)


@csrf_protect
def _take(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    typed = {name: str(value) for name, value in request.POST.items()}
    try:
        file = request.FILES.get("file")
        if file is None or file.file is None:
            raise BillError("Choose a file.")
        made = acts.keep(
            actor=cast("User", request.user),
            organization=organization,
            file=cast("BinaryIO", file.file),
            name=file.name or "",
            wanted=acts.chosen_format(typed.get("format", acts.AUTO), typed),
            provider=typed.get("provider", acts.BY_DEFAULT),
            now=datetime.now(UTC),
        )
    except BillError as refusal:
        return _form(request, organization, scope, refusal=str(refusal), status=400, typed=typed)
    return redirect("bill", organization.slug, made.pk)


def _form(
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    *,
    refusal: str = "",
    status: int = 200,
    typed: dict[str, str] | None = None,
) -> HttpResponse:
    typed = typed or {}
    context = {
        "organization": organization,
        "bills": showing.listed(scope),
        "refusal": refusal,
        "formats": (*acts.CHOICES, (generic.NAME, generic.LABEL)),
        "chosen": typed.get("format", acts.AUTO),
        "providers": ours.providers(organization.pk),
        "provider": typed.get("provider", acts.BY_DEFAULT),
        "roles": [(name, label, typed.get(f"column_{name}", "")) for name, label in _ROLES],
        "most": MOST_BYTES // 2**20,
    }
    return render(request, "analytics/bills/list.html", context, status=status)


@require_safe
@_finance
def bill(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """One bill against the figures of now."""
    found = _found(scope, number)
    context = {"organization": organization, "bill": found, **showing.page(scope, found, request.GET.get("basis", ""))}
    return render(request, "analytics/bills/detail.html", context)


@require_safe
@_finance
def bill_csv(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> StreamingHttpResponse:
    """All lines of the comparison."""
    found = showing.compared(scope, _found(scope, number), request.GET.get("basis", ""))
    response = StreamingHttpResponse(presentation.csv_lines(found), content_type=csv_stream.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="bill-{number}-comparison.csv"'
    return response


@require_POST
@_finance
def bill_delete(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """Forget a bill."""
    found = _found(scope, number)
    acts.delete(actor=cast("User", request.user), bill=found)
    messages.success(request, f"“{found.name}” is deleted.")
    return redirect("bills", organization.slug)


def _found(scope: Scope, number: int) -> "ProviderBill":
    found: ProviderBill | None = acts.visible(scope).filter(pk=number).first()
    if found is None:
        raise Http404
    return found
