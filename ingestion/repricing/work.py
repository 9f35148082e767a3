"""Working through a run: window after window, each part its own transaction, by one worker or by several."""

import gc
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db import connection, connections, transaction
from django.db.models import Count

from ingestion.models import RepriceRun
from ingestion.pricing import loading
from ingestion.repricing import storage
from ingestion.repricing.runs import WORKING, Progress, State, finish, selection_of, stop
from ingestion.repricing.selection import SelectionError
from ingestion.repricing.storage import Cursor
from ingestion.repricing.tally import Tally, tally_of
from ingestion.repricing.windows import Place, Read, Repricing, Window
from ingestion.watermarks import kept
from ingestion.writer.retries import with_retries
from metricsportal.lib import border

Clock = Callable[[], datetime]
_TURN: Final = 0.0001
_USUAL_TURN: Final = sys.getswitchinterval()
_THRESHOLDS: Final = gc.get_threshold()
_MEANWHILE: Final = "Prices were added while it ran; some requests may have been looked at before. Reprice once more."


class _OutrunError(Exception):
    """What was read is not what is stored any more: another worker, another run, or a new price was faster."""


class _Read(NamedTuple):
    """What was read at a place, and how far the other runs of the organization were before."""

    read: Read
    others: object


class _Seen(NamedTuple):
    """A window, where it was looked for, and how far the other runs of the organization were before."""

    place: Place
    window: Window
    others: object


class _Sight(NamedTuple):
    """A look at a place that may still be going on. Both wait: until the database was read, until all is priced."""

    read: Callable[[], object]
    seen: Callable[[], _Seen]


_Look = Callable[[Place], _Sight]


def carry_out(run_id: int, *, clock: Clock, chunks: int, progress: Progress = lambda done, expected: None) -> int:
    """Work through at most so many parts of windows of a run, each its own transaction; the number of parts done.

    Several may do so at the same time: who was outrun looks again where the run is now. Less than `chunks` = there is
    nothing left to do. Raises `ingestion.writer.retries.UnavailableError`.
    """
    run = _working(run_id)
    repricing = _prepare(run) if run else None
    done = 0
    if run is None or repricing is None:
        return done
    with (
        border.within(run.organization_id),
        _reader(repricing, run_id) as look,
        closing(_parts(run, repricing, look, clock)) as parts,
    ):
        for after in islice(parts, chunks):
            done += 1
            progress(_tally(after).total.requests, after.expected)
    return done


def _parts(run: RepriceRun, repricing: Repricing, look: _Look, clock: Clock) -> Generator[RepriceRun]:
    """The run after each part, until there is nothing left to do."""
    sight, current = look(place_of(run)), _working(run.pk)
    while current is not None:
        seen = sight.seen()
        if seen.window.until is not None:
            # The next window is read and priced while the database writes this one.
            sight = look(Place(seen.window.until))
        try:
            for number in range(seen.place.part, max(1, len(seen.window.parts))):
                current = with_retries(partial(_step, run.pk, repricing, seen, number, clock()))
                if current is None:
                    return
                sight.read()  # while a statement reads, PostgreSQL keeps the rows that were replaced meanwhile
                yield current
        except _OutrunError:
            current = _working(run.pk)
            sight = look(place_of(current)) if current else sight


def place_of(run: RepriceRun) -> Place:
    """How far the run is."""
    after = Cursor(run.cursor_at, run.cursor_id) if run.cursor_at else None
    return Place(after, Cursor(run.window_at, run.window_id) if run.window_at else None, run.part)


def _working(run_id: int) -> RepriceRun | None:
    runs = RepriceRun.objects.filter(pk=run_id, state__in=WORKING)
    return runs.first()


def _prepare(run: RepriceRun) -> Repricing | None:
    """None: the selection cannot be made any more, and the run has stopped."""
    try:
        repricing = Repricing(selection_of(run), run.pk)
    except SelectionError as error:
        with transaction.atomic():
            storage.lock(run.organization_id)
            if (mine := _working(run.pk)) is not None:
                stop(mine, str(error))
        return None
    if not run.expected:
        RepriceRun.objects.filter(pk=run.pk).update(expected=repricing.count())
    return repricing


@contextmanager
def _reader(repricing: Repricing, run_id: int) -> Iterator[_Look]:
    """Looks for windows ahead, in a thread with a connection of its own, where the database has several writers."""
    read, price = partial(_read, repricing, run_id), partial(_price, repricing)
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield lambda place: _Sight(lambda: None, lambda: price(read(place)))
        return

    def look(place: Place) -> _Sight:
        # The thread sees what this one sees.
        reading = thread.submit(copy_context().run, with_retries, partial(read, place))
        return _Sight(reading.result, thread.submit(lambda: price(reading.result())).result)

    with _side_by_side(), ThreadPoolExecutor(1) as thread:
        try:
            yield look
        finally:
            thread.submit(connections.close_all)


@contextmanager
def _side_by_side() -> Iterator[None]:
    """Who writes asks the database often and briefly; by default Python lets the other compute 5 ms before each turn.

    Rows form no cycles, and looking for some among them takes a sixth of the time of pricing.
    """
    sys.setswitchinterval(_TURN)
    gc.set_threshold(1_000_000, *_THRESHOLDS[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(_USUAL_TURN)
        gc.set_threshold(*_THRESHOLDS)


def _read(repricing: Repricing, run_id: int, place: Place) -> _Read:
    others = _others(repricing.organization_id, run_id)  # before the facts: what changes later is noticed
    return _Read(repricing.read(place), others)


def _price(repricing: Repricing, found: _Read) -> _Seen:
    return _Seen(found.read.place, repricing.window(found.read), found.others)


def _others(organization_id: int, run_id: int) -> object:
    """Differs from an earlier answer when another run, or the watermark, has moved in between."""
    answers: list[object] = [kept(organization_id)]
    with connection.cursor() as cursor:
        for statement in _of_others(organization_id, run_id):
            cursor.execute(*statement)
            answers.append(cursor.fetchall())
    return answers


@lru_cache(maxsize=100)
def _of_others(organization_id: int, run_id: int) -> Sequence[tuple[str, tuple[Any, ...]]]:
    """How many were ever confirmed, and where those at work are. Written once: that takes longer than the answer."""
    runs = RepriceRun.objects.filter(organization=organization_id).exclude(pk=run_id)
    confirmed = runs.exclude(state__in=(State.PREVIEWING, State.PREVIEWED)).order_by()
    at_work = confirmed.filter(state=State.APPLYING).order_by("pk").values_list("pk", "cursor_at", "cursor_id", "part")
    number = confirmed.values("organization").annotate(count=Count("pk")).values_list("count")
    return [rows.query.sql_with_params() for rows in (number, at_work)]


def _step(run_id: int, repricing: Repricing, seen: _Seen, number: int, now: datetime) -> RepriceRun | None:
    """One part: facts, changed hours, the place that the run reached and its sums, together or not at all."""
    with transaction.atomic():
        storage.lock(repricing.organization_id)
        run = _working(run_id)
        if run is None:
            return None
        _require_unchanged(run, seen, number)
        if seen.window.until is None:
            finish(run)
            return None
        part = seen.window.parts[number]
        tally = _tally(run)
        if part is not None:
            if run.state == State.APPLYING and not repricing.store(part, seen.window.version, now):
                raise _OutrunError
            tally.add(part.tally)
        _advance(run, seen.window, number)
        _keep(run, tally, seen.window.version)
        return run


def _require_unchanged(run: RepriceRun, seen: _Seen, number: int) -> None:
    """What was read without the lock is still so: the run's place, the prices, and what other runs have written."""
    window = seen.window
    expected = seen.place if number == seen.place.part else Place(window.after, window.until, number)
    if place_of(run) != expected or loading.version(run.organization_id) != window.version:
        raise _OutrunError
    if run.state == State.APPLYING and _others(run.organization_id, run.pk) != seen.others:
        raise _OutrunError


def _advance(run: RepriceRun, window: Window, number: int) -> None:
    if window.until is None:
        return
    if number + 1 < len(window.parts):
        (run.window_at, run.window_id), run.part = window.until, number + 1
    else:
        (run.cursor_at, run.cursor_id), run.part = window.until, 0
        run.window_at, run.window_id = None, 0


def _tally(run: RepriceRun) -> Tally:
    return tally_of(run.result if run.state == State.APPLYING else run.preview)


def _keep(run: RepriceRun, tally: Tally, version: int) -> None:
    if run.price_book_version != version:
        run.price_book_version, run.trouble = version, _MEANWHILE if tally.total.requests else ""
    if run.state == State.APPLYING:
        run.result = tally.to_json()
    else:
        run.preview = tally.to_json()
    run.save()
