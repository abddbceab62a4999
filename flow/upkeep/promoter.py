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
    """

    # How late a job may be whose delay was shortened behind our back, in seconds.
    interval = 1.0

    def __init__(
        self,
        store: Store,
        steady: Steady | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Promote nothing yet."""
        self._store = store
        self._steady = steady or Steady()
        self._now = now
        self._left: tuple[str, ...] = ()

    def run_once(self) -> float:
        """Promote what is due; return the seconds until the next, at most a second."""
        queues = self._store.queues()
        if not queues:
            return self.interval
        self._steady.ask()
        horizon = self._steady.latest()
        done = promote(self._store.link, queues, SLICE, horizon, self._now())
        steady = self._steady.check(done.now)
        self._tell(done.foreign)
        if done.wait is None or not steady:
            return self.interval
        return min(self.interval, max(0.0, done.wait))

    def _tell(self, foreign: tuple[str, ...]) -> None:
        if foreign and foreign != self._left:
            emit(PromotionLeft(foreign))
        self._left = foreign
