"""Ticker: fires the ticks that are due, while its clock leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.errors import InvalidSchedule
from flow.events import ScheduleUnreadable, TickFired
from flow.log import emit
from flow.scheduler.schedule import plan
from flow.service import Service

if TYPE_CHECKING:
    from flow.scheduler.leader import Leader
    from flow.store.timetable import Due, Tick, Timetable

BATCH = 200  # ticks a script call fires at most: some milliseconds


class Ticker(Service):
    """Turns schedules that are due into jobs.

    Args:
        timetable: the app's schedules.
        leader: tells whether this clock leads, and its token.
    """

    interval = 1.0  # seconds: how late an edit that was not heard of can be

    def __init__(self, timetable: Timetable, leader: Leader) -> None:
        """Fire nothing yet."""
        self._timetable = timetable
        self._leader = leader
        self._unreadable: set[str] = set()

    def run_once(self) -> float:
        """Fire what is due; return the seconds until the next tick, at most one."""
        token = self._leader.token
        if not token:
            return self.interval
        now, coming, due = self._timetable.due(BATCH)
        ticks = [tick for one in due if (tick := self._plan(one, now)) is not None]
        if ticks:
            now, answers = self._timetable.tick(token, ticks)
            self._tell(ticks, answers, now)
            if "fenced" in answers:
                self._leader.token = ""  # another leads; the next turn asks who
                return self.interval
            return 0.0
        if coming is None:
            return self.interval
        return min(self.interval, max(0.0, (coming - now) / 1000))

    def _plan(self, due: Due, now: int) -> Tick | None:
        try:
            return plan(due, now)
        except InvalidSchedule as error:
            if due.id not in self._unreadable:
                self._unreadable.add(due.id)
                emit(ScheduleUnreadable(due.id, str(error)))
            return None

    @staticmethod
    def _tell(ticks: list[Tick], answers: list[str], now: int) -> None:
        for tick, answer in zip(ticks, answers, strict=True):
            if answer == "fired":
                late = max(0.0, (now - tick.at) / 1000)
                emit(TickFired(tick.due.id, late, tick.skipped))
