"""`exports`: files that are prepared in the background, for the person who asked."""

import uuid
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.base import PortalView
from analytics.api.export_question import parse_export
from analytics.api.problems import BusyError
from analytics.exports import manifest
from analytics.exports.cells import instant
from analytics.exports.formats import FORMATS
from analytics.exports.jobs import acts
from teams.authentication import ScopedRequest
from teams.roles import KeyScope

if TYPE_CHECKING:
    from analytics.models import ExportJob
    from teams.models import ApiKey

RETRY_AFTER_SECONDS: Final = 30  # a job takes longer than a stream
FAILED: Final = "The file could not be prepared"


class ExportView(PortalView):
    """A view of exports: a key needs the right to export for all of them."""

    @property
    def key_scope(self) -> KeyScope:
        """Exporting."""
        return KeyScope.EXPORT

    @staticmethod
    def found(request: ScopedRequest, export_id: uuid.UUID) -> "ExportJob":
        """The job. Raises Http404 when it is not there, or not for this caller."""
        job = acts.find(export_id, request.scope, timezone.now())
        if job is None:
            raise Http404
        return job


class ExportList(ExportView):
    """Exports of the caller."""

    @extend_schema(**schema.EXPORTS)
    def get(self, request: ScopedRequest) -> Response:
        """Those that are not over yet, newest first."""
        return Response({"results": [describe(job) for job in acts.own(request.scope, timezone.now())]})

    @extend_schema(**schema.EXPORT_CREATE)
    def post(self, request: ScopedRequest) -> Response:
        """Have a file prepared."""
        now = timezone.now()
        asked, written = parse_export(request.data, request.scope, now)
        key = cast("ApiKey | None", request.auth)  # None: a browser
        try:
            job = acts.ask(request.scope, key, asked, written, now)
        except acts.TooManyError:
            message = f"{acts.MOST} exports of this organization are being prepared; try again when one is done."
            raise BusyError(message, RETRY_AFTER_SECONDS) from None
        document = describe(job)
        return Response(document, status=202, headers={"Location": document["self"]})


class ExportDetail(ExportView):
    """One export."""

    @extend_schema(**schema.EXPORT)
    def get(self, request: ScopedRequest, export_id: uuid.UUID) -> Response:
        """How far it is, and where its file is."""
        return Response(describe(self.found(request, export_id)))

    @extend_schema(**schema.EXPORT_DELETE)
    def delete(self, request: ScopedRequest, export_id: uuid.UUID) -> HttpResponse:
        """Stop the work and delete the file."""
        acts.delete(self.found(request, export_id))
        return HttpResponse(status=204)


class ExportFile(ExportView):
    """The file of an export."""

    @extend_schema(**schema.EXPORT_FILE)
    def get(self, request: ScopedRequest, export_id: uuid.UUID) -> FileResponse:
        """The file, once it is there."""
        job = self.found(request, export_id)
        path, described = acts.file_of(job), acts.manifest_of(job)
        if path is None or described is None:
            raise Http404
        response = FileResponse(
            path.open("rb"), as_attachment=True, filename=job.name, content_type=FORMATS[job.format].content_type
        )
        response["X-Portal-Manifest"] = manifest.header_line(described)
        return response


class ExportManifest(ExportView):
    """What the file of an export is the answer to."""

    @extend_schema(**schema.EXPORT_MANIFEST)
    def get(self, request: ScopedRequest, export_id: uuid.UUID) -> JsonResponse:
        """The manifest, once the file is there."""
        described = acts.manifest_of(self.found(request, export_id))
        if described is None:
            raise Http404
        return JsonResponse(described)


def describe(job: "ExportJob") -> dict[str, Any]:
    """A job as it leaves the portal."""
    where, slug = f"/api/v1/exports/{job.pk}", f"?organization={quote(job.organization.slug)}"
    done = job.state == acts.State.DONE
    return {
        "id": str(job.pk),
        "self": where + slug,
        "of": job.subject,
        "format": job.format,
        "name": job.name,
        "state": job.state,
        "progress": round(job.progress, 3),
        "rows": job.rows,
        "bytes": job.size,
        "sha256": job.sha256 or None,
        "url": f"{where}/file{slug}" if done else None,
        "manifest_url": f"{where}/manifest{slug}" if done else None,
        "created_at": instant(job.created_at),
        "expires_at": instant(job.expires_at),
        "problem": {"title": FAILED, "detail": job.error} if job.error else None,
    }
