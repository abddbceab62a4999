"""Recoverer: what dead processes held goes back to its queue.

A process is dead when this recoverer has itself watched its heartbeat stand still for
a whole lease, on its own clock. After an outage of Redis every watch begins anew, for
nobody could beat then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.events import JobsRecovered
from flow.log import emit
from flow.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store

LEASE = 15.0  # seconds a heartbeat may stand still
LOST = (
    "flow.errors.ProcessLost: the process that ran the job is gone, "
    "its heartbeat stood still for {lease:g} s"
)


@dataclass(slots=True)
class Watch:
    """How long a process has stood at one count."""

    count: int | None
    since: float


class Recoverer(Service):
    """Returns the jobs of dead processes to their queues.

    Args:
        store: where the jobs are.
        lease: seconds after which a process that stood still is dead.
        monotonic: the clock that the lease is measured on.
    """

    interval = 4.0

    def __init__(
        self,
        store: Store,
        lease: float = LEASE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch nobody yet."""
        self._store = store
        self._lease = lease
        self._monotonic = monotonic
        self._watches: dict[str, Watch] = {}
        self._last_look = monotonic()

    def run_once(self) -> None:
        """Look at every heartbeat once, and recover what the dead held."""
        now = self._monotonic()
        if now - self._last_look > self._lease / 2:
            # We were away, or Redis was: what stood still meanwhile proves nothing.
            self._watches.clear()
        for process in self._dead(self._store.look(), now):
            self._recover(process)
        # Only a look that Redis answered counts as one, and from when it was begun: it
        # may have waited for a server that was away, and where nobody could beat.
        self._last_look = now

    def _dead(self, beats: dict[str, int | None], now: float) -> list[str]:
        known = self._watches
        self._watches = {
            process: known[process]
            if process in known and known[process].count == count
            else Watch(count, now)
            for process, count in beats.items()
        }
        return [p for p, w in self._watches.items() if now - w.since >= self._lease]

    def _recover(self, process: str) -> None:
        queues = self._store.queues()
        held = [one for one in self._store.held(queues) if one.process == process]
        if held:
            text = LOST.format(lease=self._lease)
            back, dead = self._store.recover(
                [(one, "crashed") for one in held], worker="", text=text
            )
            emit(JobsRecovered(process, back, dead))
        self._store.leave([process])
        del self._watches[process]
