"""Ticker: fires the ticks that are due, while its clock leads."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from flow.errors import InvalidSchedule
from flow.events import ScheduleUnreadable, TickFired, TicksFired, TicksSkipped
from flow.log import emit
from flow.scheduler.ahead import SOON, Ahead
from flow.scheduler.gaps import Gaps
from flow.scheduler.pace import Pace
from flow.scheduler.plan import LATE, UNREADABLE, Plan, aside
from flow.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.scheduler.leader import Leader
    from flow.scheduler.record import Record
    from flow.store.entry import Step, Ticked, Waiting
    from flow.store.timetable import Timetable

PLANNING = 0.02  # seconds of planning, after which the server hears from us
ASIDE = 5000  # ms after which a schedule is read again that could not be read
CALLS = 2  # of tick that one look at what is due is for
TURN = 0.05  # seconds after which others have their turn, whatever is planned
MANY = 20  # ticks of one call that the log counts instead of naming them
HELD = 0.25  # seconds between two looks at a clock that jumped, or at what stands still
VALID = round(LATE * 1000)  # ms for which what was planned ahead holds


class Ticker(Service):
    """Turns schedules that are due into jobs.

    Args:
        timetable: the app's schedules.
        leader: tells whether this clock leads, and its token.
        record: what the server's replies tell about it.
        monotonic: measures how long planning takes.
    """

    interval = 1.0  # seconds: how late an edit that was not heard of can be

    def __init__(
        self,
        timetable: Timetable,
        leader: Leader,
        record: Record,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Fire nothing yet."""
        self._timetable = timetable
        self._leader = leader
        self._record = record
        self._monotonic = monotonic
        self._unreadable: set[str] = set()
        self._pace = Pace()
        self._ahead = Ahead(timetable, record, monotonic)
        self._gaps = Gaps(timetable)

    def run_once(self) -> float:
        """Fire what is due; return the seconds until the next tick, at most one."""
        token = self._leader.token
        if not token:
            self._gaps.forget()
            return self._stand_by()
        self._record.ask()
        began = self._monotonic()
        if self._take_planned(token, began):
            return 0.0
        waiting = self._timetable.due(CALLS * self._pace.steps, SOON)
        self._record.heard(waiting.now, waiting.serial)
        if not self._record.believed:
            return self._hold(token)
        steps = self._plan(waiting)
        if steps:
            return self._take_all(token, steps, began)
        if self._ahead.plan(waiting.now, waiting.crowd) or self._gaps.close(
            waiting.gap
        ):
            return 0.0
        return self._until_next(waiting)

    def _stand_by(self) -> float:
        """Plan ahead too: whoever takes over at a crowd's instant has no time then."""
        now, crowd = self._leader.now, self._leader.crowd
        self._ahead.leave(now - VALID)
        more = crowd > 0 and self._ahead.plan(now, crowd)
        return 0.0 if more else self.interval

    def _until_next(self, waiting: Waiting) -> float:
        if waiting.coming is None:
            return self.interval
        return min(self.interval, max(0.0, (waiting.coming - waiting.now) / 1000))

    def _hold(self, token: str) -> float:
        # The others know nothing of the jump if they came later: keep them quiet.
        self._timetable.tick(token, (), silence=1000)
        return HELD

    def _take_planned(self, token: str, began: float) -> bool:
        """Take the steps that were planned ahead and are due; return whether any is."""
        took_any = False
        while self._record.believed and self._leader.token == token:
            steps = self._ahead.take(self._pace.steps)
            if not steps:
                break
            self._take(token, steps, steps[0].at + VALID)
            took_any = True
            if self._monotonic() - began > TURN:
                break
        return took_any

    def _take_all(self, token: str, steps: Sequence[Step], began: float) -> float:
        wait, planned_by = 0.0, self._record.done_until
        while steps and not wait:
            part, steps = steps[: self._pace.steps], steps[self._pace.steps :]
            wait = self._take(token, part)
            # What was heard may make the rest of the plan wrong; it is made anew.
            if not self._record.believed or self._record.done_until != planned_by:
                break
            if self._monotonic() - began > TURN:
                break
        return wait

    def _take(
        self, token: str, steps: Sequence[Step], valid_until: float = math.inf
    ) -> float:
        began = self._monotonic()
        ticked = self._timetable.tick(token, steps, valid_until=valid_until)
        took = self._monotonic() - began if ticked.took is None else ticked.took
        self._pace.took(len(steps), took)
        self._record.heard(ticked.now, ticked.serial)
        self._tell(steps, ticked)
        if "fenced" in ticked.answers:
            self._leader.lost()
            return self.interval
        # What is stale as often as it is asked for must not be asked for without rest.
        return HELD if set(ticked.answers) == {"stale"} else 0.0

    def _plan(self, waiting: Waiting) -> list[Step]:
        began, most = self._monotonic(), CALLS * self._pace.steps
        steps: list[Step] = []
        for due in waiting.due:
            if len(steps) >= most or self._monotonic() - began > PLANNING:
                break
            try:
                plan = Plan(due, waiting.now, self._record.done_until)
                steps += plan.steps()[: most - len(steps)]
            except (InvalidSchedule, *UNREADABLE) as error:
                steps.append(aside(due, waiting.now, ASIDE))
                self._complain(due.id, str(error))
        return steps

    def _complain(self, schedule: str, error: str) -> None:
        if schedule not in self._unreadable:
            self._unreadable.add(schedule)
            emit(ScheduleUnreadable(schedule, error))

    def _tell(self, steps: Sequence[Step], ticked: Ticked) -> None:
        fired: list[Step] = []
        for step, answer in zip(steps, ticked.answers, strict=True):
            if answer == "fired":
                fired.append(step)
            elif answer in ("skipped", "overlap", "skip_next"):
                reason = step.reason or answer
                emit(TicksSkipped(step.due.id, step.count, reason))
            elif answer.startswith("fault"):
                self._complain(step.due.id, answer)
        for step in fired:
            self._record.fired(step.last)
        late = [max(0.0, (ticked.now - step.at) / 1000) for step in fired]
        if len(fired) > MANY:
            # A line for each would cost more than the ticks themselves.
            emit(TicksFired(len(fired), max(late)))
            return
        for step, seconds in zip(fired, late, strict=True):
            emit(TickFired(step.due.id, seconds))
