"""Promoter: jobs whose time has come, or whose parent has ended, go to their queue."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flow.events import PromotionLeft
from flow.log import emit
from flow.service import Service
from flow.store.client import BEGIN
from flow.store.delays import promote, release_more
from flow.upkeep.steady import Steady

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store
    from flow.store.delays import Promoted

SLICE = 200  # jobs a call moves at most: some milliseconds
AT_ONCE = 10  # slices of queues that a turn looks at: whoever runs this has to beat
SOON = 0.05  # seconds between two turns of a round


class Promoter(Service):
    """Queues what is due, in every queue of this Redis.

    Args:
        store: where the jobs are.
        steady: tells whether the server's time can be believed.
        now: the wall clock, for what people read.
        hears: whether a doorbell tells now what is scheduled, and so when to look.
    """

    # How late a job may be whose delay was shortened behind our back, in seconds.
    interval = 1.0
    lazy = 10.0  # likewise, where a bell rings when that happens, unless it gets lost

    def __init__(
        self,
        store: Store,
        steady: Steady | None = None,
        now: Callable[[], float] = time.time,
        hears: Callable[[], bool] = lambda: False,
    ) -> None:
        """Promote nothing yet."""
        self._store = store
        self._steady = steady or Steady()
        self._now = now
        self._hears = hears
        self._left: tuple[str, ...] = ()
        self._round = Round()

    def run_once(self) -> float:
        """Promote what is due; return the seconds until the next look."""
        for _ in range(AT_ONCE):
            self._steady.ask()
            horizon = self._steady.latest()
            at = self._round.at
            done = promote(self._store.link, at, SLICE, horizon, self._now())
            if done.releasing and release_more(self._store.link, self._now()):
                return 0.0
            if not self._steady.check(done.now):
                return self.interval
            if done.wait is not None and done.wait <= 0:
                return 0.0  # more of this slice is due
            self._round.note(done)
            if done.after == BEGIN:
                return self._end()
        self._round.turns += 1
        return SOON

    def _end(self) -> float:
        ended, self._round = self._round, Round()
        self._tell(tuple(ended.foreign))
        if ended.foreign:
            return self.interval
        # What a bell told of a queue that the round had passed waits for the next one.
        hears = self._hears() and not ended.turns
        longest = self.lazy if hears else self.interval
        return longest if ended.due is None else min(longest, ended.wait)

    def _tell(self, foreign: tuple[str, ...]) -> None:
        # Said once: that scheduler has the lock also while nothing is due.
        if foreign and foreign != self._left:
            emit(PromotionLeft(foreign))
            self._left = foreign


@dataclass(slots=True)
class Round:
    """A way round all queues, a part of it at each turn.

    Args:
        at: where to go on.
        turns: how many turns it has taken, but for the last.
        due: when the next of the jobs seen is due, in the server's seconds.
        now: the server's time at the last look.
        foreign: queues that another scheduler promotes.
    """

    at: str = BEGIN
    turns: int = 0
    due: float | None = None
    now: float = 0.0
    foreign: list[str] = field(default_factory=list[str])

    def note(self, done: Promoted) -> None:
        """Note what a look has shown, and go on."""
        self.at, self.now = done.after, done.now / 1000
        self.foreign += done.foreign
        if done.wait is not None:
            due = self.now + done.wait
            self.due = due if self.due is None else min(due, self.due)

    @property
    def wait(self) -> float:
        """The seconds until the next is due."""
        return max(0.0, (self.due or 0.0) - self.now)
