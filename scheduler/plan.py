"""What becomes of a schedule that is due: which ticks fire, which are skipped; pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from flow.errors import InvalidSchedule
from flow.schedules.rules import delay, following, from_on, policy, recurrence
from flow.store.entry import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.recurrence import Cron, Every
    from flow.registry import Policy
    from flow.store.entry import Due

WALK = 1000  # ticks that one plan looks at: some milliseconds
SHIFT = (
    10_800_000  # ms by which new data moves a tick at most; the clocks change by less
)
UNREADABLE = (ArithmeticError, TypeError, ValueError)  # what garbage in a field raises
LATE = 5.0  # seconds that a tick may be late and is no missed one; beyond the lease


@dataclass(frozen=True, slots=True)
class Missed:
    """Ticks that are due, in ms since 1970, and whether there are more."""

    ticks: list[int]
    more: bool


class Plan:
    """The steps of one schedule that is due.

    Args:
        due: the schedule and its cursor.
        now: the server's time, ms since 1970.
        done_until: ms since 1970 until which ticks had fired before Redis forgot it.

    Raises:
        InvalidSchedule: another release wrote what this one cannot read.
    """

    def __init__(self, due: Due, now: int, done_until: int = 0) -> None:
        """Read the schedule."""
        if due.wrong:
            raise InvalidSchedule(due.wrong)
        self._due = due
        self._now = now
        self._done_until = done_until
        self._policy: Policy = policy(due.policy)
        self._rule: Cron | Every = recurrence(due.rule, due.id)

    def steps(self) -> list[Step]:
        """Return what becomes of its ticks, in their order."""
        cursor = int(self._due.cursor)
        at = cursor + self._delay(cursor)
        if at > self._now:
            # Whatever woke us, others must not take us for silent until then.
            return [aside(self._due, self._now, at - self._now)]
        after = following(self._rule, cursor)
        wake = 0 if after is None else after + self._delay(after)
        if after is not None and wake <= self._now:
            return list(self._chain(self._judge(self._walk(cursor))))
        # Nearly always: one tick, and it is now. Thousands may share the instant.
        reason = self._reason(cursor, (self._now - at) / 1000, surplus=False)
        what = "skip" if reason else "fire"
        place = (self._due, self._due.cursor, what, cursor, cursor, 1, at)
        return [Step(*place, following=after, wake=wake, reason=reason)]

    def _walk(self, cursor: int) -> Missed:
        limit = WALK + (self._policy.maximum if self._policy.catch_up == "all" else 0)
        ticks = takewhile(
            lambda tick: tick + self._delay(tick) <= self._now,
            from_on(self._rule, cursor, self._now),
        )
        found = list(islice(ticks, limit + 1))
        return Missed(found[:limit], more=len(found) > limit)

    def _judge(self, missed: Missed) -> Iterator[tuple[int, str]]:
        """Yield each tick with the reason why it is skipped; '' when it fires."""
        keep = self._policy.maximum if self._policy.catch_up == "all" else 1
        # Of those that are not looked at yet, each would be worth more than these.
        last = len(missed.ticks) - (0 if missed.more else keep)
        for index, tick in enumerate(missed.ticks):
            late = (self._now - tick - self._delay(tick)) / 1000
            yield tick, self._reason(tick, late, surplus=index < last)

    def _reason(self, tick: int, late: float, *, surplus: bool) -> str:
        chosen = self._policy
        if chosen.on_data_loss == "skip" and tick <= self._done_until:
            return "data_loss"
        if chosen.window is not None and late > max(chosen.window, LATE):
            return "window"
        if surplus:
            return "maximum" if chosen.catch_up == "all" else "missed"
        return "missed" if chosen.catch_up == "skip" and late > LATE else ""

    def _chain(self, judged: Iterator[tuple[int, str]]) -> Iterator[Step]:
        runs: list[tuple[str, list[int]]] = []
        for tick, reason in judged:
            if reason and runs and runs[-1][0] == reason:
                runs[-1][1].append(tick)
            else:
                runs.append((reason, [tick]))
        cursor = self._due.cursor
        for index, (reason, ticks) in enumerate(runs):
            later = runs[index + 1][1][0] if index + 1 < len(runs) else None
            step = self._step(cursor, reason, ticks, later)
            yield step
            cursor = "" if step.following is None else str(step.following)

    def _step(
        self, cursor: str, reason: str, ticks: list[int], later: int | None
    ) -> Step:
        first, last = ticks[0], ticks[-1]
        after = later if later is not None else following(self._rule, last)
        return Step(
            due=self._due,
            cursor=cursor,
            what="skip" if reason else "fire",
            first=first,
            last=last,
            count=len(ticks),
            at=first + self._delay(first),
            following=after,
            wake=0 if after is None else after + self._delay(after),
            reason=reason,
        )

    def _delay(self, tick: int) -> int:
        return delay(self._due.id, tick, self._policy.jitter)


def replanned(rule: Cron | Every, cursor: int, last: int, now: int) -> int | None:
    """Return the next tick by time zone data that was swapped, ms since 1970.

    Args:
        rule: as the data in use has it.
        cursor: the next tick as it was planned by other data.
        last: the last tick that fired; 0 when none has.
        now: the server's time.
    """
    if following(rule, cursor - 1) != cursor:
        # The clocks change otherwise: what it stood for may have been due already.
        missed = list(from_on(rule, max(last + 1, cursor - SHIFT), now))
        if missed:
            return missed[-1]
    return following(rule, now)


def aside(due: Due, now: int, ms: int) -> Step:
    """Return the step by which a schedule waits ``ms`` and stays where it stands."""
    return Step(due, due.cursor, "aside", now, now, 1, now, now, now + ms)
