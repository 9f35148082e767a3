"""Runs of repricing: proposed, confirmed, carried out in chunks that anybody may continue, audited at the end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from ingestion.models import RepriceRun
from ingestion.pricing import book
from ingestion.repricing import storage
from ingestion.repricing.chunks import Repricing
from ingestion.repricing.selection import Selection, SelectionError
from ingestion.repricing.storage import Cursor
from ingestion.repricing.tally import Tally, tally_of
from ingestion.writer.retries import with_retries
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
Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]
"""Called with the requests looked at so far and those expected."""


class RepriceRefusedError(Exception):
    """The run cannot be confirmed as it stands; the text is a sentence for people."""


def preview(selection: Selection, progress: Progress) -> Tally:
    """What repricing would change, now and by the newest prices; nothing is stored."""
    repricing = Repricing(selection, book.price_book(selection.organization.pk))
    tally, expected = Tally(), repricing.count()
    chunk = repricing.chunk(None)
    while chunk.cursor is not None:
        tally.add(chunk.tally)
        progress(tally.total.requests, expected)
        chunk = repricing.chunk(chunk.cursor)
    return tally


def propose(*, actor: User, selection: Selection, reason: str) -> RepriceRun:
    """A run whose preview is to be made. Raises PermissionDenied for people who do not manage prices there."""
    require(actor, selection.organization, Capability.MANAGE_PRICES)
    return _create(selection, reason, State.PREVIEWING, actor)


def confirm(*, actor: User, run: RepriceRun, now: datetime) -> None:
    """Let a previewed run be applied. Raises PermissionDenied, and RepriceRefusedError when it cannot be any more."""
    require(actor, run.organization, Capability.MANAGE_PRICES)
    if book.version(run.organization_id) != run.price_book_version:
        raise RepriceRefusedError("Prices were added since this preview was made; make a new one.")
    fresh = {"cursor_at": None, "cursor_id": 0, "requested_by": actor, "updated_at": now}
    waiting = RepriceRun.objects.filter(pk=run.pk, state=State.PREVIEWED)
    if not waiting.update(state=State.APPLYING, **fresh):
        raise RepriceRefusedError("This repricing waits for nobody's confirmation.")


def begin(*, selection: Selection, reason: str, actor: User | None = None) -> tuple[RepriceRun, bool]:
    """A run to be applied at once, and whether it is an earlier one of the same selection that was interrupted.

    An interrupted run of an older price book is closed with what it did: going on would bring old prices.
    """
    version = book.version(selection.organization.pk)
    with transaction.atomic():
        storage.lock(selection.organization.pk)
        same = RepriceRun.objects.filter(state=State.APPLYING, **_columns(selection))
        for run in same.select_related("organization", "requested_by"):
            if run.price_book_version == version:
                return run, True
            _stop(run, "Prices were added before it was done; a later repricing took over.")
        return _create(selection, reason, State.APPLYING, actor), False


def carry_out(run_id: int, *, clock: Clock, chunks: int, progress: Progress = lambda done, expected: None) -> int:
    """Work through at most so many chunks of a run, each its own transaction; the number of chunks done.

    Several may do so at the same time: each chunk begins where the run stands when its transaction has the lock.
    Less than `chunks` = there is nothing left to do. Raises `ingestion.writer.retries.UnavailableError`.
    """
    run = RepriceRun.objects.filter(pk=run_id, state__in=WORKING).select_related("organization").first()
    if run is None:
        return 0
    try:
        repricing = Repricing(selection_of(run), book.price_book_at(run.organization_id, run.price_book_version))
    except SelectionError as error:
        with transaction.atomic():
            _stop(run, str(error))
        return 0
    for done in range(chunks):
        after = with_retries(lambda: _step(run_id, repricing, clock()))
        if after is None:
            return done
        progress(_tally(after).total.requests, after.expected)
    return chunks


def waiting(now: datetime) -> list[int]:
    """Ids of the runs that are not done and that nobody has worked on for a while."""
    runs = RepriceRun.objects.filter(state__in=WORKING, updated_at__lt=now - STALLED)
    return list(runs.order_by("pk").values_list("pk", flat=True))


def selection_of(run: RepriceRun) -> Selection:
    """What the run looks at."""
    return Selection(run.organization, TimeRange(run.start, run.end), run.model, run.virtual_model, run.team)


def _step(run_id: int, repricing: Repricing, now: datetime) -> RepriceRun | None:
    """One chunk: facts, changed hours, the place that the run reached and its sums, together or not at all."""
    with transaction.atomic():
        storage.lock(repricing.organization_id)
        found = RepriceRun.objects.filter(pk=run_id, state__in=WORKING)
        run = found.select_related("organization", "requested_by").first()
        if run is None:
            return None
        if run.cursor_at is None:
            run.expected = repricing.count()
        chunk = repricing.chunk(Cursor(run.cursor_at, run.cursor_id) if run.cursor_at else None)
        if chunk.cursor is None:
            _finish(run)
            return None
        if run.state == State.APPLYING:
            repricing.store(chunk, now)
        tally = _tally(run)
        tally.add(chunk.tally)
        run.cursor_at, run.cursor_id = chunk.cursor
        _keep(run, tally)
        return run


def _finish(run: RepriceRun) -> None:
    applying = run.state == State.APPLYING
    run.state = State.APPLIED if applying else State.PREVIEWED
    if applying:
        _audit(run)
    run.save()


def _stop(run: RepriceRun, trouble: str) -> None:
    """End a run that cannot go on; what it did stays done, and is told."""
    if run.state == State.APPLYING:
        _audit(run)
    run.state, run.trouble = State.STOPPED, trouble[:300]
    run.save()


def _tally(run: RepriceRun) -> Tally:
    return tally_of(run.result if run.state == State.APPLYING else run.preview)


def _keep(run: RepriceRun, tally: Tally) -> None:
    name = "result" if run.state == State.APPLYING else "preview"
    setattr(run, name, tally.to_json())
    run.save(update_fields=[name, "expected", "cursor_at", "cursor_id", "updated_at"])


def _create(selection: Selection, reason: str, state: str, actor: User | None) -> RepriceRun:
    version = book.version(selection.organization.pk)
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
