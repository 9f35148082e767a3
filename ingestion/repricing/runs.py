"""Runs of repricing: previewed, proposed, confirmed, begun; finished with their one row in the audit log."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from ingestion.models import RepriceRun
from ingestion.pricing import loading
from ingestion.repricing import storage
from ingestion.repricing.selection import Selection
from ingestion.repricing.tally import Tally, tally_of
from ingestion.repricing.windows import Place, Repricing
from metricsportal.lib.money import usd_text
from metricsportal.lib.timerange import TimeRange
from teams.models import User
from teams.roles import Capability
from teams.services import audit
from teams.services.rules import require

State = RepriceRun.State
WORKING: Final = (State.PREVIEWING, State.APPLYING)
STALLED: Final = timedelta(minutes=2)
"""A run without a new chunk for so long is nobody's at the moment."""
Progress = Callable[[int, int], None]
"""Called with the requests looked at so far and those expected."""


class RepriceRefusedError(Exception):
    """The run cannot be confirmed as it stands; the text is a sentence for people."""


def preview(selection: Selection, progress: Progress) -> Tally:
    """What repricing would change, now and by the newest prices; nothing is stored."""
    repricing, tally = Repricing(selection), Tally()
    expected, window = repricing.count(), repricing.window(repricing.read(Place()))
    while window.until is not None:
        for part in filter(None, window.parts):
            tally.add(part.tally)
        progress(tally.total.requests, expected)
        window = repricing.window(repricing.read(Place(window.until)))
    return tally


def propose(*, actor: User, selection: Selection, reason: str) -> RepriceRun:
    """A run whose preview is to be made. Raises PermissionDenied for people who do not manage prices there."""
    require(actor, selection.organization, Capability.MANAGE_PRICES)
    return _create(selection, reason, State.PREVIEWING, actor)


def confirm(*, actor: User, run: RepriceRun, now: datetime) -> None:
    """Let a previewed run be applied. Raises PermissionDenied, and RepriceRefusedError when it cannot be any more."""
    require(actor, run.organization, Capability.MANAGE_PRICES)
    if loading.version(run.organization_id) != run.price_book_version:
        raise RepriceRefusedError("Prices were added since this preview was made; make a new one.")
    place = {"cursor_at": None, "cursor_id": 0, "window_at": None, "window_id": 0, "part": 0}
    fresh = {**place, "requested_by": actor, "trouble": "", "updated_at": now}
    waiting = RepriceRun.objects.filter(pk=run.pk, state=State.PREVIEWED)
    if not waiting.update(state=State.APPLYING, **fresh):
        raise RepriceRefusedError("This repricing waits for nobody's confirmation.")


def begin(*, selection: Selection, reason: str, actor: User | None = None) -> tuple[RepriceRun, bool]:
    """A run to be applied at once, and whether it is an earlier one of the same selection that was interrupted."""
    with transaction.atomic():
        storage.lock(selection.organization.pk)
        interrupted = RepriceRun.objects.filter(state=State.APPLYING, **_columns(selection)).first()
        return interrupted or _create(selection, reason, State.APPLYING, actor), interrupted is not None


def waiting(now: datetime) -> list[int]:
    """Ids of the runs that are not done and that nobody has worked on for a while."""
    runs = RepriceRun.objects.filter(state__in=WORKING, updated_at__lt=now - STALLED)
    return list(runs.order_by("pk").values_list("pk", flat=True))


def selection_of(run: RepriceRun) -> Selection:
    """What the run looks at."""
    return Selection(run.organization, TimeRange(run.start, run.end), run.model, run.virtual_model, run.team)


def finish(run: RepriceRun) -> None:
    """Everything was looked at; call it in the transaction that saw that."""
    applying = run.state == State.APPLYING
    run.state = State.APPLIED if applying else State.PREVIEWED
    if applying:
        _audit(run)
    run.save()


def stop(run: RepriceRun, trouble: str) -> None:
    """End a run that cannot go on; what it did stays done, and is told."""
    if run.state == State.APPLYING:
        _audit(run)
    run.state, run.trouble = State.STOPPED, trouble[:300]
    run.save()


def _create(selection: Selection, reason: str, state: str, actor: User | None) -> RepriceRun:
    version = loading.version(selection.organization.pk)
    return RepriceRun.objects.create(
        **_columns(selection), reason=reason[:300], state=state, price_book_version=version, requested_by=actor
    )


def _columns(selection: Selection) -> dict[str, Any]:
    return {
        "organization": selection.organization,
        "start": selection.period.start,
        "end": selection.period.end,
        "model": selection.model,
        "virtual_model": selection.virtual_model,
        "team": selection.team,
    }


def _audit(run: RepriceRun) -> None:
    """The one row per run: who, when, why, what, and the sums."""
    tally = tally_of(run.result)
    audit.record(
        organization=run.organization,
        actor=run.requested_by,
        action="requests.reprice",
        target=run,
        reason=run.reason,
        start=run.start.isoformat(),
        end=run.end.isoformat(),
        model=run.model,
        virtual_model=run.virtual_model,
        team=run.team,
        price_book_version=run.price_book_version,
        requests=tally.total.requests,
        changed=tally.total.changed,
        usd_before=usd_text(tally.total.before),
        usd_after=usd_text(tally.total.after),
    )
