"""Which annotations a scope sees, and who may write them."""

from datetime import datetime
from typing import Final

from django.db.models import Count, Min, Q, QuerySet

from analytics.models import Annotation
from ingestion.models import PriceEntry
from ingestion.models.prices import MANUAL
from metricsportal.lib.timerange import TimeRange
from teams import access
from teams.access import Reach, Scope
from teams.models import ApiKey, Team
from teams.roles import Capability

Place = tuple[datetime, int]
NAMED: Final = 3
"""So many models of a price change are named; of more, the first."""


def visible(scope: Scope) -> QuerySet[Annotation]:
    """What the scope sees: notes for the whole organization, and those of the teams whose metrics it sees."""
    if scope.reach is Reach.NOTHING:
        return Annotation.objects.none()
    found = Annotation.objects.filter(Q(team=None) | Q(team__in=access.visible_teams(scope)))
    return found.filter(organization_id=scope.organization_id).select_related("team", "created_by", "key")


def sent_by(key: ApiKey) -> QuerySet[Annotation]:
    """What a key sent: it sees nothing, but may take back its own."""
    found = Annotation.objects.filter(key=key, organization_id=key.organization_id)
    return found.select_related("team", "created_by", "key")


def between(notes: QuerySet[Annotation], start: datetime | None, end: datetime | None) -> QuerySet[Annotation]:
    """Those that happened in the half-open range, or lasted into it. None: no border."""
    if start is not None:
        notes = notes.filter(Q(at__gte=start) | Q(end__gt=start))
    return notes if end is None else notes.filter(at__lt=end)


def page(notes: QuerySet[Annotation], limit: int, after: Place | None) -> tuple[list[Annotation], bool]:
    """At most `limit` of them, newest first, from behind a place on; whether there are more."""
    if after is not None:
        at, pk = after
        notes = notes.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    found = list(notes.order_by("-at", "-pk")[: limit + 1])
    return found[:limit], len(found) > limit


def may_write(scope: Scope, team_id: int | None) -> bool:
    """Whether the person of a scope may write and delete notes of that team, or (None) of the whole organization."""
    if scope.allows(Capability.ANNOTATE):
        return True
    return team_id is not None and access.manages(scope, team_id)


def own_teams(scope: Scope) -> list[Team]:
    """The teams for which the person of a scope may write, by name."""
    teams = access.visible_teams(scope) if scope.allows(Capability.ANNOTATE) else access.managed_teams(scope)
    return list(teams.filter(merged_into=None).order_by("name"))


def author_of(note: Annotation) -> str | None:
    """Who wrote it, in words; None when that is not known any more."""
    if note.created_by is not None:
        return note.created_by.get_full_name()
    return f"key {note.key.name}" if note.key is not None else None


def price_changes(scope: Scope, period: TimeRange, most: int) -> tuple[list[tuple[datetime, str]], int]:
    """Instants of the range from which other prices hold, newest first and at most `most`; how many there are.

    Prices of the organization's own, and those by hand for everybody: a catalogue's are too many to be events. Only
    for who sees the whole organization: others would learn names of models that they never used.
    """
    if scope.reach is not Reach.ORGANIZATION:
        return [], 0
    entries = PriceEntry.objects.filter(
        Q(organization_id=scope.organization_id) | Q(organization=None, source=MANUAL),
        effective_from__gte=period.start,
        effective_from__lt=period.end,
    ).order_by()
    counts = entries.values("effective_from").annotate(models=Count("model_match", distinct=True))
    instants = list(counts.annotate(first=Min("model_match")).order_by("-effective_from"))
    shown = instants[:most]
    few = [one["effective_from"] for one in shown if 1 < one["models"] <= NAMED]
    names: dict[datetime, list[str]] = {}
    if few:
        pairs = entries.filter(effective_from__in=few).values_list("effective_from", "model_match").distinct()
        for at, model in pairs.order_by("model_match"):
            names.setdefault(at, []).append(model)
    return [
        (one["effective_from"], _words(names.get(one["effective_from"], [one["first"]]), one["models"]))
        for one in shown
    ], len(instants)


def _words(names: list[str], count: int) -> str:
    left = count - len(names)
    return f"Prices of {', '.join(names)}" + (f" and {left} more models" if left else "")
