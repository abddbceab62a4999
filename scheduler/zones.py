"""Zones: when the time zone data is swapped, the next ticks follow the new rules.

A clock runs for months, in which governments change their clocks and somebody updates
tzdata. Whatever is planned must not wait for a restart to be right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.errors import InvalidSchedule, SpoiltKey
from flow.events import SchedulesReplanned, ZonesChanged
from flow.log import emit
from flow.recurrence import read_again, tzdata_at_hand, tzdata_version
from flow.scheduler.plan import replanned
from flow.schedules.rules import delay, forget, policy, recurrence
from flow.service import Service

if TYPE_CHECKING:
    from flow.scheduler.leader import Leader
    from flow.store.schedules import Scheduled, Schedules
    from flow.store.timetable import Timetable

SLICE = 100  # schedules that one turn looks at, so that ticks need not wait
Move = tuple[str, str, int, int, int]


class Zones(Service):
    """Looks at the data each minute; the leader plans anew by what is newer.

    Args:
        timetable: knows by which data the next ticks are planned.
        schedules: those of the app.
        leader: tells whether this clock leads.
    """

    interval = 60.0

    def __init__(
        self, timetable: Timetable, schedules: Schedules, leader: Leader
    ) -> None:
        """Look at nothing yet."""
        self._timetable = timetable
        self._schedules = schedules
        self._leader = leader
        self._seen = tzdata_version()
        self._left: list[str] = []
        self._planning = False

    def run_once(self) -> float:
        """Notice new data, or plan the next few schedules by it."""
        if not self._planning:
            self._look()
            self._planning = self._is_behind()
            self._left = self._schedules.ids() if self._planning else []
        if not self._planning:
            return self.interval
        part, self._left = self._left[:SLICE], self._left[SLICE:]
        self._plan(part)
        if self._left:
            return 0.0
        self._planning = False
        self._timetable.note_zones(tzdata_version())
        return self.interval

    def _look(self) -> None:
        seen, self._seen = self._seen, tzdata_at_hand()
        before = tzdata_version()
        # Only what was there a minute ago too: an installer writes file by file.
        if self._seen != seen or seen in (before, "unknown"):
            return
        read_again()
        forget()
        emit(ZonesChanged(before, tzdata_version()))

    def _is_behind(self) -> bool:
        version = tzdata_version()
        # By the newest data of all clocks: one with older data leaves plans alone.
        return (
            bool(self._leader.token)
            and version != "unknown"
            and version > self._timetable.planned_by()
        )

    def _plan(self, part: list[str]) -> None:
        found = list(self._schedules.each(part))
        now = self._timetable.time()
        moves = [
            move
            for one in found
            if not isinstance(one, SpoiltKey) and (move := _move(one, now))
        ]
        moved = self._timetable.replan(moves) if moves else []
        if moved:
            emit(SchedulesReplanned(moved, tzdata_version()))


def _move(one: Scheduled, now: int) -> Move | None:
    """Return where a schedule goes on; None when that is where it stands."""
    cursor = one.cursor
    if one.rule.kind != "cron" or cursor is None or cursor <= now or one.paused:
        return None
    try:
        steps, chosen = recurrence(one.rule, one.id), policy(one.policy)
    except InvalidSchedule:
        return None  # the ticker says so when its time comes
    tick = replanned(steps, cursor, one.last or 0, now)
    if tick is None or tick == cursor:
        return None
    wake = tick + delay(one.id, tick, chosen.jitter)
    return one.id, one.revision, cursor, tick, wake
