"""Promoter: delayed and retried jobs go to their queue when their time has come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flow.events import PromotionLeft
from flow.log import emit
from flow.service import Service
from flow.store.delays import promote
from flow.upkeep.steady import Steady

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store

SLICE = 200  # jobs a call moves at most: some milliseconds


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

    def run_once(self) -> float:
        """Promote what is due; return the seconds until the next look."""
        self._steady.ask()
        horizon = self._steady.latest()
        done = promote(self._store.link, (), SLICE, horizon, self._now())
        steady = self._steady.check(done.now)
        self._tell(done.foreign)
        if not steady or done.foreign:
            return self.interval
        longest = self.lazy if self._hears() else self.interval
        return longest if done.wait is None else min(longest, max(0.0, done.wait))

    def _tell(self, foreign: tuple[str, ...]) -> None:
        if foreign and foreign != self._left:
            emit(PromotionLeft(foreign))
        self._left = foreign
