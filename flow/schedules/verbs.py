"""What can be done with a schedule while the app runs."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Unpack, cast

from flow.errors import InvalidSchedule, NoSuchSchedule
from flow.job import Job
from flow.schedules.entries import entry, slug
from flow.schedules.missed import count
from flow.schedules.rules import delay, policy, recurrence, to_ms
from flow.store import current
from flow.store.entry import Behind, Rule
from flow.store.roster import Roster
from flow.store.schedules import Schedules
from flow.store.timetable import Timetable
from flow.tasks import CronOptions, checked_policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flow.store.entry import Counted
    from flow.store.schedules import Scheduled
    from flow.tasks import Task

MOST = 10_000  # jobs that one backfill enqueues


class UpsertOptions(CronOptions, total=False):
    """What else a schedule can have; see ``upsert``."""

    tz: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def upsert(
    schedule: str,
    task: Task[..., Any, Any],
    *,
    cron: str | None = None,
    every: float | None = None,
    **options: Unpack[UpsertOptions],
) -> Scheduled:
    """Make a schedule, or change the one of that id; the clocks know it at once.

    One that recurs as before keeps its next tick, so a change never runs it again.

    Args:
        schedule: its id: letters, digits, ``_`` and ``-``.
        task: what to enqueue.
        cron: an expression; docs/cron.md.
        every: or seconds between two ticks.
        options: ``tz``, ``args`` and ``kwargs`` of the call, and the policy:
            ``catch_up``, ``window``, ``maximum``, ``overlap``, ``jitter``,
            ``on_data_loss``, ``dst``.

    Raises:
        InvalidSchedule: the rule or the policy cannot be, or the app declares the id.
        InvalidCall: the arguments do not fit the task.
    """
    if not schedule or slug(schedule) != schedule:
        raise InvalidSchedule(
            f"{schedule!r} is no schedule id; use letters, digits, '_' and '-' only"
        )
    given = cast("dict[str, Any]", dict(options))
    rule = _rule(cron, every, given.pop("tz", ""), given.pop("dst", "vixie"))
    record = task.record(given.pop("args", ()), given.pop("kwargs", {}))
    known = find_or_none(schedule)
    if known is not None and known.source == "declared":
        raise InvalidSchedule(f"the app declares {schedule!r}; choose another id")
    made = entry(schedule, rule, checked_policy(given), record, _timetable().time())
    _roster().declare([made], "dynamic")
    return find(schedule)


def find(schedule: str) -> Scheduled:
    """Return a schedule as it stands.

    Raises:
        NoSuchSchedule: there is none of that id.
    """
    found = find_or_none(schedule)
    if found is None:
        raise _unknown(schedule)
    return found


def find_or_none(schedule: str) -> Scheduled | None:
    """Return a schedule as it stands, or None."""
    return _schedules().find(schedule)


def all() -> list[Scheduled]:  # noqa: A001 - schedules.all() reads best
    """Return every schedule of the app, by id."""
    return _schedules().all()


def pause(schedule: str) -> bool:
    """Have a schedule enqueue nothing until it is resumed.

    Returns:
        False when it was paused already.

    Raises:
        NoSuchSchedule: there is none of that id.
    """
    return bool(_known(schedule, _schedules().pause(schedule)))


def resume(schedule: str) -> bool:
    """Have a paused schedule go on with its next tick; what it missed is left out.

    Returns:
        False when it was not paused.

    Raises:
        NoSuchSchedule: there is none of that id.
        InvalidSchedule: another program spoilt when it recurs.
    """
    schedules = _schedules()
    while True:
        one = find(schedule)
        if not one.paused:
            return False
        tick, left_out = _resumption(one)
        wake = tick + delay(schedule, tick, policy(one.policy).jitter)
        done = schedules.resume(one, tick, wake, left_out)
        if done >= 0:  # else it was edited while we looked
            return bool(done)


def run_now(schedule: str) -> Job[Any]:
    """Enqueue a schedule's job now, beside its ticks, paused or not.

    Raises:
        NoSuchSchedule: there is none of that id.
    """
    job_id = f"{schedule}-now-{secrets.token_hex(6)}"
    now = _timetable().time()
    if _schedules().backfill(schedule, {job_id: now}, "run") is None:
        raise _unknown(schedule)
    return Job(job_id)


def skip_next(schedule: str, count: int = 1) -> None:
    """Leave out the next tick of a schedule.

    Args:
        schedule: its id.
        count: or so many of the next ticks; 0 takes it back.

    Raises:
        NoSuchSchedule: there is none of that id.
    """
    if count < 0:
        raise InvalidSchedule(f"skip_next leaves out 0 ticks or more, not {count}")
    _known(schedule, _schedules().skip_next(schedule, count))


def backfill(schedule: str, start: datetime, end: datetime) -> list[Job[Any]]:
    """Enqueue a schedule's job for each of its ticks in a time that has passed.

    A tick whose job is still known, done or not, is left alone.

    Args:
        schedule: its id.
        start: an aware datetime; a tick at it is included.
        end: an aware datetime; a tick at it is not.

    Returns:
        The jobs that were enqueued, in the order of their ticks.

    Raises:
        NoSuchSchedule: there is none of that id.
        NaiveDatetime: a datetime has no time zone.
        InvalidSchedule: there are more than 10,000 ticks in that time.
    """
    one = find(schedule)
    ticks: dict[str, int] = {}
    for moment in recurrence(one.rule, schedule).between(start, end):
        ticks[f"{schedule}-{to_ms(moment)}"] = to_ms(moment)
        if len(ticks) > MOST:
            raise InvalidSchedule(
                f"a backfill of more than {MOST} ticks; do it in shorter pieces"
            )
    made = _schedules().backfill(schedule, ticks, "backfilled")
    if made is None:
        raise _unknown(schedule)
    return [Job(job_id) for job_id in made]


def remove(schedule: str) -> None:
    """Remove a schedule that ``upsert`` made; its jobs stay.

    Raises:
        NoSuchSchedule: there is none of that id.
        InvalidSchedule: the app declares it.
    """
    done = _roster().remove(schedule)
    if done < 0:
        raise InvalidSchedule(
            f"the app declares {schedule!r}: remove it there, or pause it"
        )
    _known(schedule, done - 1)


def _resumption(one: Scheduled) -> tuple[int, Counted | None]:
    """Return the next tick, and those that are left out."""
    recurrence(one.rule, one.id)  # who resumes is told why it cannot be read
    now = _timetable().time()
    if one.cursor is None or one.cursor > now:
        return one.cursor or now, None
    left_out = count(Behind(one.id, one.cursor, now, one.rule))
    return left_out.following or now, left_out


def _rule(cron: str | None, every: float | None, tz: str, dst: str) -> Rule:
    if (cron is None) == (every is None):
        raise InvalidSchedule("give either cron= or every=")
    if cron is not None:
        return Rule("cron", cron, tz or "", dst)
    return Rule("every", f"{every:.15g}")


def _known(schedule: str, answer: int) -> int:
    if answer < 0:
        raise _unknown(schedule)
    return answer


def _unknown(schedule: str) -> NoSuchSchedule:
    name = current.project().name
    return NoSuchSchedule(
        f"there is no schedule {schedule!r} of {name}; flow clock list shows them all"
    )


def _schedules() -> Schedules:
    return Schedules(current.store().link, current.project().name)


def _timetable() -> Timetable:
    return Timetable(current.store().link, current.project().name)


def _roster() -> Roster:
    return Roster(current.store().link, current.project().name, count)
