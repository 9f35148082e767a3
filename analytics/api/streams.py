"""Answers that are written while they are read."""

from collections.abc import Iterator, Mapping

from django.http import StreamingHttpResponse

from analytics.api.problems import BusyError
from analytics.exports import slots
from teams.access import Scope


def stream(
    scope: Scope, pieces: Iterator[bytes], content_type: str, headers: Mapping[str, str], name: str | None = None
) -> StreamingHttpResponse:
    """A streamed answer, as a file of that name if given. Raises BusyError when too many are under way."""
    slot = slots.take(scope.organization_id, pieces)
    if slot is None:
        raise BusyError(f"{slots.MOST} exports of this organization are under way; try again when one is done.")
    response = StreamingHttpResponse(slot, content_type=content_type, headers=dict(headers))
    if name is not None:
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
