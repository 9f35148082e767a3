"""The annotations of the page: what happened in its range, and what its form offers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from analytics.annotations import reading
from analytics.annotations.content import Note, parse
from analytics.models import Annotation
from metricsportal.lib.localtime import zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope

MOST: Final = 100
"""Lines and rows of a page; of more, the newest, and the page says so."""
LOCAL: Final = "%Y-%m-%dT%H:%M"
Kind = Annotation.Kind


def shown(scope: Scope, period: TimeRange) -> dict[str, Any]:
    """What happened in the range, newest first: notes, and the price book's own changes."""
    notes = reading.between(reading.visible(scope), period.start, period.end)
    writable = _writable(scope)
    items = [_item(one, scope, writable) for one in reading.page(notes, MOST, None)[0]]
    changes, others = reading.price_changes(scope, period, MOST)
    items += [_change(at, words, scope) for at, words in changes]
    items.sort(key=lambda one: str(one["at"]), reverse=True)
    count = notes.count() if len(items) >= MOST else len(items) - len(changes)
    return {"notes": items[:MOST], "count": count + others, "most": MOST}


def _writable(scope: Scope) -> frozenset[int | None]:
    """The teams whose notes the viewer may delete, with None for those of the whole organization."""
    if scope.reach is Reach.NOTHING:
        return frozenset()
    teams: set[int | None] = {team.pk for team in reading.own_teams(scope)}
    return frozenset(teams | {None} if reading.may_write(scope, None) else teams)


def _item(note: Annotation, scope: Scope, writable: frozenset[int | None]) -> dict[str, Any]:
    return {
        "id": note.pk,
        "kind": note.kind,
        "kind_label": note.get_kind_display(),
        "at": _iso(note.at),
        "end": _iso(note.end) if note.end else None,
        "when": _when(note.at, note.end, scope.zone),
        "text": note.text,
        "link": note.link or None,
        "team": note.team.name if note.team else None,
        "author": reading.author_of(note),
        "may_delete": note.team_id in writable,
    }


def _change(at: datetime, words: str, scope: Scope) -> dict[str, Any]:
    return {
        "id": None,
        "kind": Kind.PRICE_CHANGE.value,
        "kind_label": Kind.PRICE_CHANGE.label,
        "at": _iso(at),
        "end": None,
        "when": _when(at, None, scope.zone),
        "text": words,
        "link": None,
        "team": None,
        "author": "price book",
        "may_delete": False,
    }


def _iso(moment: datetime) -> str:
    """UTC with Z and milliseconds: every one as long as the others, so that their order is that of the texts."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _when(at: datetime, end: datetime | None, zone_name: str) -> str:
    """27 Nov 2026 14:30, or from then to when, in the reporting zone."""
    first = at.astimezone(zone(zone_name))
    if end is None:
        return f"{first:%-d %b %Y %H:%M}"
    last = end.astimezone(zone(zone_name))
    same = first.date() == last.date()
    return f"{first:%-d %b %Y %H:%M} – {last:%H:%M}" if same else f"{first:%-d %b %Y %H:%M} – {last:%-d %b %Y %H:%M}"  # noqa: RUF001 - a range


def form(scope: Scope, now: datetime, sent: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """What the form offers to this viewer, with what was sent and refused; None for who may write nothing."""
    whole = scope.reach is not Reach.NOTHING and reading.may_write(scope, None)
    teams = [team.name for team in reading.own_teams(scope)] if scope.reach is not Reach.NOTHING else []
    if not whole and not teams:
        return None
    at = now.astimezone(zone(scope.zone)).strftime(LOCAL)
    return {
        "whole": whole,
        "teams": teams,
        "kinds": [{"name": one.value, "label": one.label} for one in Kind],
        "sent": {"at": at, "kind": Kind.DEPLOY.value} if sent is None else sent,
        "open": sent is not None,
    }


def parse_form(sent: Mapping[str, str], scope: Scope, now: datetime) -> Note:
    """The event of a form, whose times are of the reporting zone. Raises InvalidQueryError with every problem."""
    filled = {name: sent[name] for name in ("kind", "text", "link", "team", "at", "end") if sent.get(name)}
    return parse(filled | {name: _aware(filled[name], scope) for name in ("at", "end") if name in filled}, now)


def _aware(text: str, scope: Scope) -> str:
    """A local time of a form as an instant; what is none stays as it is, to be refused by name."""
    try:
        local = datetime.strptime(text, LOCAL)  # noqa: DTZ007 - of the reporting zone
    except ValueError:
        return text
    return local.replace(tzinfo=zone(scope.zone)).isoformat()
