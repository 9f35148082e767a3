"""Answers that are written while they are read."""

from django.http import StreamingHttpResponse

from analytics.api.limits import BACKGROUND
from analytics.api.problems import BusyError
from analytics.exports import formats, manifest, slots
from analytics.exports.table import Table
from teams.access import Scope


def stream(scope: Scope, table: Table, written: str, name: str | None = None) -> StreamingHttpResponse:
    """A table in a format, as a file of that name if given. Raises BusyError when too many are under way."""
    slot = slots.take(scope.organization_id, formats.pieces(table, written))
    if slot is None:
        message = "exports of this organization are under way; try again when one is done, or"
        raise BusyError(f"{slots.MOST} {message} {BACKGROUND}.")
    response = StreamingHttpResponse(slot, content_type=formats.FORMATS[written].content_type)
    response["X-Portal-Manifest"] = manifest.header_line(table.manifest)
    if name is not None:
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
