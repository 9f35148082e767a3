"""Template tags of the pages: links that keep the rest of the page's state, and the organizations of the viewer."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.http import QueryDict
from django.template import Context
from django.utils import timezone

from ingestion.uploads import overview
from teams import directory
from teams.access import Reach, Scope, find_organization, organizations_of
from teams.models import Organization

register = template.Library()

# Where in a list one stands means nothing once the question changes.
_POSITION = ("page", "place")


def _state(context: Context) -> QueryDict:
    """A changeable copy of the parameters of the page; empty on pages made without a request."""
    request = context.get("request")
    state = request.GET.copy() if request is not None else QueryDict(mutable=True)
    for name in _POSITION:
        state.pop(name, None)
    # Where a view opens the page without parameters, what leads to the plain page has to say so.
    if context.get("opens_with_view"):
        state.setdefault("view", "none")
    return state


def _link(state: QueryDict) -> str:
    return "?" + state.urlencode(safe=":,")


@register.simple_tag(takes_context=True)
def viewer_organizations(context: Context) -> list[Organization]:
    """Organizations of the signed-in person, by name; none for visitors and on error pages without a request."""
    user = getattr(context.get("request"), "user", None)
    return organizations_of(user) if user is not None and user.is_authenticated else []


@register.simple_tag(takes_context=True)
def viewer_reach(context: Context, slug: str) -> Reach:
    """How far the signed-in person sees in that organization: decides which pages are offered."""
    scope = _viewer_scope(context, slug)
    return scope.reach if scope else Reach.NOTHING


@register.simple_tag(takes_context=True)
def viewer_settings(context: Context, slug: str) -> str:
    """URL name of the first page of the settings that the signed-in person may open; "" for most people."""
    scope = _viewer_scope(context, slug)
    return next(iter(directory.sections(scope)), "") if scope else ""


def _viewer_scope(context: Context, slug: str) -> Scope | None:
    """What the signed-in person sees there, asked once per page."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if not slug or user is None or not user.is_authenticated:
        return None
    known: dict[str, Scope | None] = request.__dict__.setdefault("_viewer_scopes", {})
    if slug not in known:
        found = find_organization(user, slug)
        known[slug] = found[1] if found else None
    return known[slug]


@register.simple_tag(takes_context=True)
def link_with(context: Context, **changes: Any) -> str:
    """Query string of the page with parameters replaced; None removes one."""
    state = _state(context)
    for name, value in changes.items():
        if value is None:
            state.pop(name, None)
        else:
            state[name] = str(value)
    return _link(state)


@register.simple_tag(takes_context=True)
def link_with_filter(context: Context, text: str) -> str:
    """Query string of the page with one more filter, not repeated when it is there already."""
    state = _state(context)
    if text not in state.getlist("f"):
        state.appendlist("f", text)
    return _link(state)


@register.simple_tag(takes_context=True)
def link_without_filter(context: Context, text: str) -> str:
    """Query string of the page without one filter."""
    state = _state(context)
    state.setlist("f", [other for other in state.getlist("f") if other != text])
    return _link(state)


@register.simple_tag(takes_context=True)
def link_sorted(context: Context, column: str, sort: str) -> str:
    """Query string that sorts by a column: falling first, rising when it is falling now."""
    return link_with(context, sort=column if sort == f"-{column}" else f"-{column}")


@register.simple_tag(takes_context=True)
def link_to_page(context: Context, page: int) -> str:
    """Query string of another page of the table."""
    state = _state(context)
    state["page"] = str(page)
    return _link(state)


@register.simple_tag(takes_context=True)
def link_to_range(context: Context, shown: dict[str, str], move: str) -> str:
    """Query string of the window before (`earlier`) or after (`later`) the one shown, or twice as long (`wider`)."""
    start, end = (datetime.fromisoformat(shown[name]) for name in ("start", "end"))
    length = end - start
    moves: dict[str, tuple[timedelta, timedelta]] = {
        "earlier": (-length, -length),
        "later": (length, length),
        "wider": (-length / 2, length / 2),
    }
    before, after = moves[move]
    return link_with(context, **{"from": _instant(start + before), "to": _instant(end + after)})


def _instant(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


@register.inclusion_tag("analytics/dashboard/hidden_state.html", takes_context=True)
def hidden_state(context: Context, *without: str) -> dict[str, Iterable[tuple[str, str]]]:
    """Hidden inputs that carry the page's parameters through a GET form, without those the form sets itself."""
    state = _state(context)
    return {"pairs": [(name, value) for name, values in state.lists() if name not in without for value in values]}


@register.filter
def item(mapping: Mapping[str, object], name: object) -> object:
    """The value of a mapping under a name that a variable holds; None when it is not there."""
    return mapping.get(str(name))


@register.filter
def listed(value: object) -> str:
    """A value of JSON in words: the members of a list with commas between them."""
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


@register.filter
def ago(moment: datetime) -> str:
    """How long ago something was: just now, 3 minutes ago."""
    return overview.ago(moment, timezone.now())
