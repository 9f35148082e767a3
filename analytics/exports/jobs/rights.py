"""Who may have a job worked on, and who may have it: decided anew each time, never wider than when it was asked for."""

from datetime import datetime

from analytics.models import ExportJob
from teams import access
from teams.access import Reach, Scope
from teams.roles import KeyScope


def frozen(job: ExportJob) -> Scope:
    """The scope that it was asked with. Its holder manages nothing by it."""
    reach = Reach(job.reach)
    return Scope(job.organization_id, job.zone, reach, frozenset(job.teams), job.caller, user_id=job.by_id)


def may_still(job: ExportJob, now: datetime) -> bool:
    """Whether the one who asked, with the key that it was asked with, sees all of it now."""
    if job.with_key:
        scope = access.scope_of_key(job.key, KeyScope.EXPORT, now) if job.key else None
    else:
        scope = access.scope_of_user(job.by, job.organization)
    return scope is not None and access.covers(scope, frozen(job))


def may_have(job: ExportJob, scope: Scope) -> bool:
    """Whether this caller may know of it: the person who asked, as long as they see all of it."""
    return scope.user_id == job.by_id and access.covers(scope, frozen(job))
