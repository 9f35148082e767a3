"""Around every request: its border, security and caching headers of its response (a view may set others itself)."""

import logging
from collections.abc import Callable, Iterator
from typing import Final, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

from metricsportal.lib import border, problems

_logger = logging.getLogger(__name__)
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "frame-src": "'self'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Not "no-referrer": over HTTPS Django's CSRF check reads the Referer of requests without an Origin.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NO_ANSWER: Final = "The database did not answer in time. Try again; a narrower range is answered faster."


class OneBorder:
    """A request sees no organization before a right to one is found, and leaves nothing to the next one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request inside a border of its own, also what of it streams later."""
        with border.request():
            response = self.get_response(request)
            if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
                response.streaming_content = border.kept(cast("Iterator[bytes]", response.streaming_content))
        return response


class ResponseHeaders:
    """Adds what a response lacks: content policy, `private, no-store`, Vary. Static files keep their own caching."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request and complete the headers of the answer."""
        response = self.get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith(settings.STATIC_URL):
            # An answer depends on who asks: no cache, shared or private, may keep it.
            response.headers.setdefault("Cache-Control", "private, no-store")
            patch_vary_headers(response, ("Cookie", "Authorization"))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What has no answer of the database, or none in time, says so; every other error stays one."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        _logger.warning("%s: the database did not answer", request.path, exc_info=error)
        response = _unavailable(request)
        response["Retry-After"] = "5"
        patch_vary_headers(response, ("Accept",))
        return response


def _unavailable(request: HttpRequest) -> HttpResponse:
    """503 without the database: a page for browsers, a problem for programs that ask for JSON, else a line of text."""
    accept = request.headers.get("Accept", "")
    if "text/html" in accept:
        page = render_to_string("503.html", {"may_repeat": request.method == "GET"})
        return HttpResponse(page, status=503)
    if "json" in accept:
        request_id = problems.request_id_of(request.headers.get("X-Request-ID"))
        document = problems.problem(503, _NO_ANSWER, instance=request.path, request_id=request_id)
        return JsonResponse(document, status=503, content_type=problems.CONTENT_TYPE)
    return HttpResponse(f"{_NO_ANSWER}\n", status=503, content_type="text/plain; charset=utf-8")
