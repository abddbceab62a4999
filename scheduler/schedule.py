"""From what the app declares to the timetable, and from a cursor to its ticks."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from flow import codec
from flow.recurrence import Cron, Every
from flow.store.timetable import Entry, Tick
from flow.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flow.codec import Field
    from flow.registry import Declaration, Schedule
    from flow.store.timetable import Due

# What a tick sets itself, or what makes no two enqueues alike.
NOT_KEPT = ("created_at", "enqueued_at")
# Seconds to look back for the latest tick before now, shortest first.
WINDOWS = (60, 3600, 86_400, 40 * 86_400, 366 * 86_400, 9 * 366 * 86_400)


def entries(declarations: Iterable[Declaration], now: float) -> list[Entry]:
    """Return the entries of all declared schedules.

    Args:
        declarations: the app's tasks.
        now: unix seconds; new schedules begin after it.
    """
    return [
        _entry(declaration, schedule, now)
        for declaration in declarations
        for schedule in declaration.schedules
    ]


def _entry(declaration: Declaration, schedule: Schedule, now: float) -> Entry:
    job = _job(declaration, schedule)
    schedule_id = _id(declaration, schedule)
    parts = (schedule.kind, schedule.spec, schedule.tz, sorted(job.items()))
    revision = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    tz = schedule.tz or ""
    rule = recurrence(schedule.kind, schedule.spec, tz, schedule_id)
    first = _ms(rule.next_after(datetime.fromtimestamp(now, UTC)))
    return Entry(schedule_id, revision, schedule.kind, schedule.spec, tz, first, job)


def _job(declaration: Declaration, schedule: Schedule) -> dict[str, Field]:
    record = Task[..., object, object](declaration).record(
        schedule.args, schedule.kwargs
    )
    flat = codec.fields(record, 0.0)
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {str(name): value for name, value in pairs if name not in NOT_KEPT}


def _id(declaration: Declaration, schedule: Schedule) -> str:
    """Return the schedule's id: its task, and what tells it from its siblings."""
    base = _slug(declaration.path)
    if schedule.name:
        return f"{base}-{_slug(schedule.name)}"
    unnamed = [one for one in declaration.schedules if not one.name]
    if len(unnamed) == 1:
        return base
    own = repr((schedule.kind, schedule.spec, schedule.tz, schedule.args))
    return f"{base}-{hashlib.sha256(own.encode()).hexdigest()[:6]}"


def _slug(text: str) -> str:
    """Return ``text`` in the signs that RQ allows in a job's id."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)


@cache
def recurrence(kind: str, spec: str, tz: str, schedule_id: str) -> Cron | Every:
    """Return the rule of a schedule.

    Raises:
        InvalidSchedule: another release wrote what this one cannot read.
    """
    if kind == "every":
        return Every(float(spec))
    return Cron(spec, tz=tz or None, id=schedule_id)


def plan(due: Due, now: int) -> Tick:
    """Return the tick that a due schedule fires: the latest, if several were missed.

    Args:
        due: the schedule and its cursor.
        now: the server's time, ms since 1970.
    """
    rule = recurrence(due.kind, due.spec, due.tz, due.id)
    moment, cursor = _moment(now), int(due.cursor)
    latest, skipped = _latest(rule, cursor, now)
    return Tick(due, latest, _ms(rule.next_after(moment)), skipped)


def _latest(rule: Cron | Every, cursor: int, now: int) -> tuple[int, int]:
    for seconds in WINDOWS:
        start = max(cursor, now - seconds * 1000)
        last = None
        count = 0
        for moment in _between(rule, start, now):
            last, count = moment, count + 1
        if last is not None:
            # Beyond the window nobody counted: at least the cursor's own was left out.
            return last, count - 1 + (start > cursor)
    return cursor, 0


def _between(rule: Cron | Every, start: int, now: int) -> Iterator[int]:
    for moment in rule.between(_moment(start), _moment(now + 1)):
        yield _ms(moment)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
