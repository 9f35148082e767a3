"""Metadata keys as a viewer knows them: a key that occurs in nothing they see does not exist for them."""

from django.db.models import Exists, OuterRef, QuerySet

from analytics.catalog.dimensions import BY_API_NAME, BY_NAME, METADATA_PREFIX, Dimension, metadata_dimension
from analytics.query.conditions import callers
from ingestion.models import KeyOfCaller, KeyOfTeam, MetadataKey
from teams.access import Reach, Scope


def visible_keys(scope: Scope) -> list[MetadataKey]:
    """The registered keys that occur in requests of the scope, in order of name."""
    return list(_visible(scope).order_by("name"))


def find(name: str, scope: Scope, *, api: bool = False) -> Dimension | None:
    """The dimension of that native (or API) name, or of a key that the scope sees after `metadata.`; else None."""
    if name.startswith(METADATA_PREFIX):
        return _dimension(name, _visible(scope))
    return (BY_API_NAME if api else BY_NAME).get(name)


def find_any(name: str, organization_id: int) -> Dimension | None:
    """The dimension of that native name, whoever sees it: for the portal's own work, never for a request."""
    return _dimension(name, _registered(organization_id)) if name.startswith(METADATA_PREFIX) else BY_NAME.get(name)


def _dimension(name: str, among: QuerySet[MetadataKey]) -> Dimension | None:
    key = among.filter(name=name.removeprefix(METADATA_PREFIX)).first()
    return metadata_dimension(key) if key else None


def _registered(organization_id: int) -> QuerySet[MetadataKey]:
    return MetadataKey.objects.filter(organization_id=organization_id, registered=True)


def _visible(scope: Scope) -> QuerySet[MetadataKey]:
    """An unknown reach sees none."""
    keys = _registered(scope.organization_id)
    if scope.reach is Reach.ORGANIZATION:
        return keys
    if scope.reach is Reach.TEAMS:
        return keys.filter(Exists(KeyOfTeam.objects.filter(key=OuterRef("pk"), team_id__in=sorted(scope.team_ids))))
    if scope.reach is Reach.CALLER and scope.caller:
        own = callers(scope).values("pk")
        return keys.filter(Exists(KeyOfCaller.objects.filter(key=OuterRef("pk"), user_id__in=own)))
    return keys.none()
