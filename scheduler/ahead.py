"""Ahead: the ticks of a crowd are planned while there is time.

Ten thousand schedules may share an instant, and to read and plan them takes as long as
to fire them. So that is done in the seconds before. Nothing rests on it: tick.lua takes
a step only where the schedule still stands as it was read, and only when it is due; and
what was not planned ahead is found when it is due, as ever.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from flow.errors import InvalidSchedule
from flow.recurrence import tzdata_version
from flow.scheduler.plan import UNREADABLE, Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.scheduler.record import Record
    from flow.store.entry import Due, Step
    from flow.store.timetable import Timetable

SOON = 10_000  # ms ahead that are planned
CROWD = 100  # schedules; fewer are planned as quickly when they are due
MOST = 20_000  # steps that are kept, some 20 MB
PAGE = 100  # schedules that are read and planned at a time: some milliseconds
AGAIN = 2.0  # seconds between two readings, however much is edited
SETTLED = 500  # ms before an instant in which what is planned for it stays


class Ahead:
    """The next ticks of many schedules, planned before they are due.

    Args:
        timetable: the app's schedules.
        record: what the server's replies tell about it.
        monotonic: measures the time between two readings.
    """

    def __init__(
        self,
        timetable: Timetable,
        record: Record,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Plan nothing yet."""
        self._timetable = timetable
        self._record = record
        self._monotonic = monotonic
        # Each with when its schedule is due: one that was put aside waits longer.
        self._steps: deque[tuple[float, Step]] = deque()
        self._basis = self._current()
        self._read_at: float | None = None
        self._place: tuple[float, int] = (0, 0)
        self._end = 0

    def take(self, most: int) -> list[Step]:
        """Return the steps that are due by now, by our own clock, and forget them."""
        if self._basis != self._current():
            self.forget()
        now = self._record.earliest()
        taken: list[Step] = []
        while self._steps and len(taken) < most and self._steps[0][0] <= now:
            taken.append(self._steps.popleft()[1])
        return taken

    def plan(self, now: int, crowd: int) -> bool:
        """Plan some of what comes; return whether there is more to plan.

        Args:
            now: the server's time, ms since 1970, as of a moment ago.
            crowd: how many schedules come soon.
        """
        if not self._end and not self._is_worth_it(now, crowd):
            return False
        if not self._end:
            self._begin(now)
        start, skip = self._place
        page = self._timetable.coming(start, self._end, skip, PAGE)
        for due in page:
            self._add(due)
        if len(page) < PAGE or len(self._steps) >= MOST:
            self._end = 0
        return self._end > 0

    def forget(self) -> None:
        """Have nothing planned: another leads, or plans by other rules."""
        self._steps.clear()
        self._basis = self._current()
        self._read_at, self._end = None, 0

    def leave(self, to: int) -> None:
        """Forget what was due so long ago that who leads has taken it.

        Args:
            to: the ms since 1970 until when that is.
        """
        while self._steps and self._steps[0][0] < to:
            self._steps.popleft()

    def _is_worth_it(self, now: int, crowd: int) -> bool:
        if min(crowd, MOST) - len(self._steps) < CROWD:
            return False
        if self._steps and self._steps[0][0] - now < SETTLED:
            return False
        at = self._monotonic()
        return self._read_at is None or at - self._read_at >= AGAIN

    def _begin(self, now: int) -> None:
        self.forget()
        self._read_at = self._monotonic()
        self._place, self._end = (now + 1, 0), now + SOON

    def _add(self, due: Due) -> None:
        # By when they are due, and by how many of that instant were read: the set
        # changes at its begin while it is read.
        at, skip = self._place
        self._place = (due.at, skip + 1 if due.at == at else 1)
        try:
            steps = Plan(due, int(due.at), self._record.done_until).steps()
        except (InvalidSchedule, *UNREADABLE):
            return  # whoever finds it due says so
        self._steps += [(due.at, step) for step in steps]

    def _current(self) -> tuple[str, int]:
        """What plans depend on, and a schedule's revision does not tell."""
        return tzdata_version(), self._record.done_until
