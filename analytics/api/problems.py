"""Every refusal of the REST API as `application/problem+json`; set as EXCEPTION_HANDLER of the REST framework."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from analytics.exports.cells import instant
from analytics.query.values import InvalidQueryError, NotKeptError, Problem, QueryTooLargeError
from metricsportal.lib import problems

RETRY_AFTER_SECONDS: Final = 5
_logger = logging.getLogger(__name__)


class TooLargeError(exceptions.APIException):
    """The body is longer than this endpoint reads. Answered 413."""

    status_code = 413
    default_detail = "The body is longer than this endpoint reads."


class FormatError(exceptions.APIException):
    """The format is not one that this endpoint writes. Answered 415."""

    status_code = 415


class NoFileError(exceptions.APIException):
    """The file cannot be made: for good (415, 422) or at this moment (503)."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status_code = status


class ConflictError(exceptions.APIException):
    """The present state forbids it. Answered 409."""

    status_code = 409


class BusyError(exceptions.APIException):
    """As much as allowed is being done already. Answered 429."""

    status_code = 429

    def __init__(self, detail: str, wait: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(detail)
        self.wait = wait


class TooManyPointsError(QueryTooLargeError):
    """The answer would have more points than one answer may have. Answered 422."""

    def __init__(self, estimate: int, budget: int, suggestions: tuple[str, ...]) -> None:
        super().__init__(estimate, budget, suggestions)
        self.args = (f"This answer would have about {estimate:,} points; the limit is {budget:,}.",)


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to whatever a view raised. What nobody foresaw is logged and says nothing about the inside."""
    request = context["request"]._request
    status, document, headers = _described(error, request)
    return Response(document, status=status, headers=headers, content_type=problems.CONTENT_TYPE)


def problem_response(
    request: HttpRequest, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> JsonResponse:
    """A refusal of a plain Django view, in the same words as everywhere."""
    document = problems.problem(status, detail, instance=request.path, request_id=_request_id(request), **members)
    return JsonResponse(document, status=status, headers=headers, content_type=problems.CONTENT_TYPE)


def _request_id(request: HttpRequest) -> str:
    return problems.request_id_of(request.headers.get("X-Request-ID"))


def _described(error: Exception, request: HttpRequest) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, document and headers of an error."""
    request_id = _request_id(request)
    status, members, headers = _answer(error)
    if status == 503:
        _logger.warning("%s: the database did not answer", request_id, exc_info=error)
    elif status == 500:
        _logger.error("%s: unexpected", request_id, exc_info=error)
    return status, problems.problem(status, instance=request.path, request_id=request_id, **members), headers


def _answer(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, members of the document and headers; the first case that fits."""
    status, members, headers = 500, {"detail": "The error was logged under the request id."}, dict[str, str]()
    match error:
        case InvalidQueryError():
            status, members = 400, _invalid(error)
        case QueryTooLargeError():
            status, members = 422, _too_large(error)
        case NotKeptError():
            status, members = 422, _not_kept(error)
        case Http404() | exceptions.NotFound():
            status, members = 404, {"detail": "There is nothing here, or nothing you may see."}
        case PermissionDenied():
            status, members = 403, {"detail": "This key or role does not allow this."}
        case exceptions.APIException():
            status, members, headers = error.status_code, {"detail": str(error.detail)}, _headers(error)
        case OperationalError() | InterfaceError() | InternalError():  # the last one: it only reads
            detail = "The database did not answer in time. A narrower range is answered faster."
            status, members, headers = 503, {"detail": detail}, {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return status, members, headers


def _invalid(error: InvalidQueryError) -> dict[str, Any]:
    count = len(error.problems)
    return {
        "detail": "1 field needs attention." if count == 1 else f"{count} fields need attention.",
        "kind": "invalid-query",
        "title": "The query is not valid",
        "errors": [_entry(one) for one in error.problems],
    }


def _entry(one: Problem) -> dict[str, Any]:
    entry: dict[str, Any] = {"loc": list(one.loc), "code": one.code, "message": one.message}
    return entry | ({"allowed": list(one.allowed)} if one.allowed else {})


def _too_large(error: QueryTooLargeError) -> dict[str, Any]:
    return {
        "detail": str(error),
        "estimate_rows": error.estimate,
        "budget_rows": error.budget,
        "suggestions": list(error.suggestions),
    }


def _not_kept(error: NotKeptError) -> dict[str, Any]:
    return {
        "detail": str(error),
        "kind": "not-kept",
        "title": error.title,
        "kept_from": instant(error.kept_from),
        "suggestions": list(error.suggestions),
    }


def _headers(error: exceptions.APIException) -> dict[str, str]:
    challenge = getattr(error, "auth_header", None)  # set by the REST framework beside a 401
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    wait = getattr(error, "wait", None)
    return headers | ({"Retry-After": str(int(wait) + 1)} if wait else {})
