"""What all views of the REST API have in common: strict JSON in, JSON out, a scope or a refusal."""

from collections.abc import Iterable, Mapping
from typing import IO, Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.checks import MAX_BODY_BYTES, decode
from analytics.api.problems import TooLargeError
from analytics.api.throttles import PerCaller, Standing
from analytics.exports.formats import JSON
from teams.roles import KeyScope


class StrictJSONParser(BaseParser):
    """Reads a bounded body of JSON. Raises TooLargeError and InvalidQueryError."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - JSON may be anything
        """The decoded body, at most `MAX_BODY_BYTES` of it."""
        raw = stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise TooLargeError
        return decode(raw)


class FirstOfEach(BaseContentNegotiation):
    """Ignores Accept: the parameter `format` decides, so that links work from browsers and scripts alike."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser of the content type, None for others (answered 415)."""
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        first = next(iter(renderers))
        return first, str(first.media_type)


class PortalView(APIView):
    """A view of the API."""

    parser_classes = (StrictJSONParser,)
    content_negotiation_class = FirstOfEach
    throttle_classes = (PerCaller,)
    throttle_kind = "queries"

    @property
    def key_scope(self) -> KeyScope:
        """What a key must be made for: reading; for files, exporting."""
        return KeyScope.EXPORT if self.request.query_params.get("format", JSON) != JSON else KeyScope.READ

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Adds where the caller stands to every answer."""
        standing: Standing | None = getattr(request, "standing", None)
        for name, value in (standing.headers if standing else {}).items():
            response.headers[name] = value
        return super().finalize_response(request, response, *args, **kwargs)
