"""`budgets`: what may be used, and how far it is."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analytics.api import cursors, schema
from analytics.api.base import PortalView
from analytics.api.checks import Checks, parameters, refuse
from analytics.api.problems import ConflictError
from analytics.api.saved import person_of
from analytics.budgets import forecasting, reading, writing
from analytics.budgets.content import FIELDS
from analytics.budgets.documents import figure
from analytics.budgets.periods import span_at
from analytics.budgets.standing import UnknownStandingError, standing
from analytics.budgets.subjects import value_of
from analytics.budgets.webhooks.addresses import origin
from analytics.exports.cells import instant
from teams.access import Scope
from teams.authentication import ScopedRequest

if TYPE_CHECKING:  # a view knows rows by name only
    from analytics.models import Budget

T = TypeVar("T")
MAX_LIMIT: Final = 1000


class Budgets(PortalView):
    """The budgets that the caller sees; one more."""

    @extend_schema(**schema.BUDGETS)
    def get(self, request: ScopedRequest) -> Response:
        """By name."""
        given = parameters(request.query_params, ("limit", "cursor"))
        checks, asked = Checks(), {"budgets": ""}
        limit = checks.whole(given.get("limit", 100), ("limit",), 1, MAX_LIMIT) or 1
        after = checks.attempt(lambda: _place(given, request.scope, asked))
        checks.finish()
        found, more = reading.page(reading.visible(request.scope), limit, after)
        place = [found[-1].name, found[-1].pk] if more else None
        following = cursors.seal(place, request.scope, asked) if place else None
        return Response({"results": [_document(one, request.scope) for one in found], "next_cursor": following})

    @extend_schema(**schema.BUDGET_ADD)
    def post(self, request: ScopedRequest) -> Response:
        """Make one."""
        parameters(request.query_params, ())
        actor, sent = person_of(request), _sent(request.data, FIELDS)
        made = _kept(lambda: writing.create(scope=request.scope, actor=actor, sent=sent, now=timezone.now()))
        return Response(_document(made, request.scope), status=201, headers={"Location": f"/api/v1/budgets/{made.pk}"})


class BudgetDetail(PortalView):
    """One budget."""

    @extend_schema(**schema.BUDGET)
    def get(self, request: ScopedRequest, budget_id: str) -> Response:
        """The budget."""
        parameters(request.query_params, ())
        return Response(_document(_found(request, budget_id), request.scope))

    @extend_schema(**schema.BUDGET_CHANGE)
    def patch(self, request: ScopedRequest, budget_id: str) -> Response:
        """Another name, amount, thresholds or listeners; what is not sent stays."""
        parameters(request.query_params, ())
        budget, actor = _found(request, budget_id), person_of(request)
        if not reading.may_write(request.scope, budget.team_id):
            raise PermissionDenied  # before what was sent is read
        sent, now = _sent(request.data, FIELDS), timezone.now()
        changed = _kept(lambda: writing.change(scope=request.scope, actor=actor, budget=budget, sent=sent, now=now))
        return Response(_document(changed, request.scope))

    @extend_schema(**schema.BUDGET_DELETE)
    def delete(self, request: ScopedRequest, budget_id: str) -> Response:
        """Remove it."""
        parameters(request.query_params, ())
        budget, actor = _found(request, budget_id), person_of(request)
        writing.delete(scope=request.scope, actor=actor, budget=budget)
        return Response(status=204)


class BudgetStatus(PortalView):
    """How far a budget is used now."""

    @extend_schema(**schema.BUDGET_STATUS)
    def get(self, request: ScopedRequest, budget_id: str) -> Response:
        """Used, amount, forecast, and what was told of the present period."""
        parameters(request.query_params, ())
        budget, now = _found(request, budget_id), timezone.now()
        span = span_at(budget.every, now, request.scope.zone)
        try:
            found = standing(budget, span, now)
        except UnknownStandingError as error:
            raise ConflictError(str(error)) from None
        rest = forecasting.forecast(budget, found, now)
        return Response(
            {
                "budget": budget.pk,
                "from": instant(span.range.start),
                "to": instant(span.range.end),
                "as_of": instant(now),
                "unit": found.unit,
                "amount": figure(found.unit, found.amount),
                "used": figure(found.unit, found.used),
                "used_share": found.share,
                "at_least": found.at_least,
                "unpriced_requests": found.unpriced,
                "forecast": figure(found.unit, rest.total) if rest else None,
                "forecast_crosses_on": rest.crosses.isoformat() if rest and rest.crosses else None,
                "told": [
                    {"threshold": one.threshold or None, "forecast": one.threshold == 0, "at": instant(one.at)}
                    for one in budget.notices.filter(starts_on=span.first).order_by("at", "threshold")
                ],
            }
        )


def _place(given: Mapping[str, str], scope: Scope, asked: Mapping[str, str]) -> tuple[str, int] | None:
    """Behind which name and id the page begins; raises InvalidQueryError."""
    if "cursor" not in given:
        return None
    match cursors.unseal(given["cursor"], scope, asked):
        case [str(name), int(pk)]:
            return name, pk
    raise refuse(("cursor",), "invalid_cursor", "This cursor belongs to another list.")


def _sent(body: object, allowed: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(body, Mapping):
        raise refuse((), "invalid_type", "A budget is a JSON object.", allowed)
    checks = Checks()
    checks.known(body, allowed)
    checks.finish()
    return body


def _kept(act: Callable[[], T]) -> T:
    try:
        return act()
    except writing.ConflictError as error:
        raise ConflictError(str(error)) from None


def _found(request: ScopedRequest, budget_id: str) -> "Budget":
    """The budget of that id; raises Http404 when there is none that the caller sees."""
    known = budget_id.isascii() and budget_id.isdigit() and len(budget_id) < 19
    budget = reading.visible(request.scope).filter(pk=int(budget_id)).first() if known else None
    if budget is None:
        raise Http404
    return budget


def _document(budget: "Budget", scope: Scope) -> dict[str, object]:
    """Who only reads learns where the webhook leads, not its path, which often is a key."""
    webhook = budget.webhook if reading.may_write(scope, budget.team_id) else origin(budget.webhook)
    return {
        "id": budget.pk,
        "name": budget.name,
        "team": budget.team.name if budget.team else None,
        "dimension": budget.dimension or None,
        "value": value_of(budget) or None,
        "unit": budget.unit,
        "every": budget.every,
        "amount": f"{budget.amount.normalize():f}",
        "thresholds": budget.thresholds,
        "forecast": budget.forecast,
        "recipients": budget.recipients,
        "webhook": webhook or None,
        "created_at": instant(budget.created_at),
    }
