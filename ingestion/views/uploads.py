"""Pages for files: upload, preview, progress, report. For administrators of the organization."""

import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ingestion.uploads import acts, overview, preview
from ingestion.uploads.acts import Choice
from ingestion.views import answers, receiving
from ingestion.views.answers import Refusal
from teams.access import Scope
from teams.authentication import SignedInRequest
from teams.pages import Organization, organization_page
from teams.roles import Capability

if TYPE_CHECKING:
    from ingestion.models import Upload
    from teams.models import User

_administrators = organization_page(Capability.MANAGE_PEOPLE)
DECIDED = "This file does not wait for a decision any more."


# Exempt until the person is known to be allowed: to read the token of a form is to store its file.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_administrators
def uploads(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The form with the newest uploads; POST takes a file and leads to its preview."""
    if request.method != "POST":
        return _form(request, organization)
    handler = receiving.ToFolder(settings.UPLOAD_MAX_BYTES)
    try:
        receiving.refuse_larger(request.headers.get("Content-Length", ""), settings.UPLOAD_MAX_BYTES)
        request.upload_handlers = [handler]
        return _take(request, organization, handler)
    except Refusal as refusal:
        return _refused(request, organization, refusal)
    finally:
        handler.discard()


@csrf_protect
def _take(request: HttpRequest, organization: Organization, handler: receiving.ToFolder) -> HttpResponse:
    choice = _choice(request)
    if handler.refusal or handler.received is None:
        raise handler.refusal or Refusal(400, "Choose a file.")
    try:
        upload = acts.receive(
            actor=_actor(request), organization=organization, file=handler.received, choice=choice, now=timezone.now()
        )
    except ValidationError as error:
        raise Refusal(400, error.messages[0]) from error
    handler.taken = True
    address = reverse("upload", args=[organization.slug, upload.pk])
    return JsonResponse({"location": address}, status=201) if _wants_json(request) else redirect(address)


def _actor(request: HttpRequest) -> "User":
    return cast("SignedInRequest", request).user


def _choice(request: HttpRequest) -> Choice:
    try:
        return Choice(request.POST.get("format", acts.AUTO), "keep_unknown" in request.POST)
    except ValidationError as error:
        raise Refusal(400, error.messages[0]) from error


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _form(request: HttpRequest, organization: Organization, status: int = 200) -> HttpResponse:
    context = {
        "organization": organization,
        "formats": acts.FORMAT_NAMES,
        "uploads": overview.latest(organization, timezone.now()),
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "keep_days": settings.UPLOAD_KEEP_DAYS,
        "field": receiving.FIELD,
    }
    return render(request, "ingestion/uploads.html", context, status=status)


def _refused(request: HttpRequest, organization: Organization, refusal: Refusal) -> HttpResponse:
    if _wants_json(request):
        return answers.problem(request, refusal)
    messages.error(request, str(refusal))
    return _form(request, organization, refusal.status)


def _found(organization: Organization, upload_id: uuid.UUID) -> "Upload":
    found = overview.find(organization, upload_id)
    if found is None:
        raise Http404
    return found


@require_safe
@_administrators
def upload(request: HttpRequest, organization: Organization, scope: Scope, upload_id: uuid.UUID) -> HttpResponse:
    """A file that waits: its preview. Else how its import stands, or what came of it."""
    found, now = _found(organization, upload_id), timezone.now()
    context = {
        "organization": organization,
        "upload": found,
        "when": overview.ago(found.uploaded_at, now),
        "standing": overview.standing(found, now),
    }
    if found.state == overview.State.WAITING:
        shown = {"preview": preview.preview(found, now), "formats": acts.FORMAT_NAMES}
        return render(request, "ingestion/upload_preview.html", context | shown)
    return render(request, "ingestion/upload.html", context | {"report": overview.report(found)})


@require_safe
@_administrators
def progress(request: HttpRequest, organization: Organization, scope: Scope, upload_id: uuid.UUID) -> JsonResponse:
    """How the import stands, for the page's script."""
    return JsonResponse(asdict(overview.standing(_found(organization, upload_id), timezone.now())))


@require_POST
@_administrators
def read(request: HttpRequest, organization: Organization, scope: Scope, upload_id: uuid.UUID) -> HttpResponse:
    """Read the file in another way, and look again."""
    found = _found(organization, upload_id)
    try:
        changed = acts.read_as(actor=_actor(request), upload=found, choice=_choice(request))
        _say_if_late(request, changed)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("upload", organization.slug, upload_id)


@require_POST
@_administrators
def start(request: HttpRequest, organization: Organization, scope: Scope, upload_id: uuid.UUID) -> HttpResponse:
    """Have the file imported."""
    found = _found(organization, upload_id)
    _say_if_late(request, acts.start(actor=_actor(request), upload=found, now=timezone.now()))
    return redirect("upload", organization.slug, upload_id)


@require_POST
@_administrators
def discard(request: HttpRequest, organization: Organization, scope: Scope, upload_id: uuid.UUID) -> HttpResponse:
    """Delete the file."""
    found = _found(organization, upload_id)
    if not acts.discard(actor=_actor(request), upload=found, now=timezone.now()):
        _say_if_late(request, False)
        return redirect("upload", organization.slug, upload_id)
    messages.success(request, f"“{found.name}” was deleted; nothing of it was imported.")
    return redirect("uploads", organization.slug)


def _say_if_late(request: HttpRequest, in_time: bool) -> None:
    if not in_time:
        messages.warning(request, DECIDED)
