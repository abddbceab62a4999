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
from flow.store import beats
from flow.store.client import BEGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Held, Store

LEASE = 15.0  # seconds a heartbeat may stand still
AT_ONCE = 10  # slices of queues that a turn looks at: whoever runs this has to beat
SOON = 0.05  # seconds between two turns while it looks for what the dead held
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
        self._silent = Silent(store)
        self._graves: list[str] = []  # the dead, until all queues were looked at
        self._at = BEGIN

    def run_once(self) -> float | None:
        """Look at every heartbeat once, and recover what the dead held.

        Returns:
            Seconds until it goes on, where there are so many queues.
        """
        now = self._monotonic()
        if now - self._last_look > self._lease / 2:
            # We were away, or Redis was: what stood still meanwhile proves nothing.
            self._watches.clear()
            self._graves, self._at = [], BEGIN
        if not self._graves:
            self._graves = self._dead(self._silent.look(), now)
        if self._graves:
            self._recover()
        # Only a look that Redis answered counts as one, and from when it was begun: it
        # may have waited for a server that was away, and where nobody could beat.
        self._last_look = now
        return SOON if self._graves else None

    def _dead(self, counts: dict[str, int | None], now: float) -> list[str]:
        known = self._watches
        self._watches = {
            process: known[process]
            if process in known and known[process].count == count
            else Watch(count, now)
            for process, count in counts.items()
        }
        return [p for p, w in self._watches.items() if now - w.since >= self._lease]

    def _recover(self) -> None:
        for _ in range(AT_ONCE):
            held, after = beats.held(self._store, self._graves, self._at)
            for process, executions in held.items():
                self._put_back(process, executions)
            self._at = after
            if after == BEGIN:
                self._store.leave(self._graves)
                for process in self._graves:
                    del self._watches[process]
                self._graves = []
                return

    def _put_back(self, process: str, held: list[Held]) -> None:
        text = LOST.format(lease=self._lease)
        back, dead = self._store.recover(
            [(one, "crashed") for one in held], worker="", text=text
        )
        emit(JobsRecovered(process, back, dead))


class Silent:
    """Finds processes that hold jobs and have never beaten, a part of it at each look.

    Args:
        store: where the jobs are.
    """

    def __init__(self, store: Store) -> None:
        """Have found none yet."""
        self._store = store
        self._at = BEGIN
        self._found: set[str] = set()  # in this round through the queues
        self._known: set[str] = set()  # in the one before

    def look(self) -> dict[str, int | None]:
        """Return how often each process has beaten; None: never, but it holds jobs."""
        counts: dict[str, int] = {}
        for _ in range(AT_ONCE):
            look = beats.look(self._store, self._at)
            counts, self._at = look.beats, look.after
            self._found.update(look.silent)
            if self._at == BEGIN:
                self._known, self._found = self._found, set()
                break
        return dict.fromkeys(self._known | self._found) | counts
