"""Janitor: what has expired or was left behind goes, in slices."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from flow.events import JobOrphaned, QueuesUnserved
from flow.log import emit
from flow.service import Service
from flow.store import leftovers
from flow.store.client import BEGIN

if TYPE_CHECKING:
    from flow.store.client import Store

FIRST = 4.0  # seconds after which the roles that start with this one have shown up
BUSY = 5.0  # seconds between two rounds while entries expire
SOON = 0.1  # seconds between two turns of a round
AT_ONCE = 3  # slices of queues that a turn looks at: whoever runs this has to beat
SAMPLE = 250  # of what was left behind, what a slice looks at of each kind
MOST = 50  # of them in one queue
SILENCE = 600.0  # seconds after the last beat of a role of this host that is gone
SLICE = 250  # entries a call removes at most, so that no script call is long


class Janitor(Service):
    """Goes round all queues: trims what RQ's own workers would, and notes the unserved.

    Args:
        store: where the jobs are.
    """

    interval = 30.0

    def __init__(self, store: Store) -> None:
        """Trim nothing yet."""
        self._store = store
        self._host = socket.gethostname()
        self._at = BEGIN
        self._gone = 0
        self._unserved: list[str] = []
        self._warned: tuple[str, ...] = ()
        self._is_first = True

    def run_once(self) -> float | None:
        """Look at some slices of the queues; return when to go on, if it is sooner.

        Nothing is said of queues in the first round: others may be starting too.
        """
        for _ in range(AT_ONCE):
            if self._look() and self._at == BEGIN:
                return self._end()
        return SOON

    def _look(self) -> bool:
        """Look at a slice; return False if more has expired than may go at once."""
        queues, after = leftovers.some_queues(self._store, self._at)
        gone = leftovers.trim(self._store, queues, SLICE)
        if gone >= SLICE:
            return False
        self._gone += gone
        host = self._host if self._at == BEGIN else ""
        sample = min(MOST, SAMPLE // max(1, len(queues)))
        for orphan in leftovers.sweep(self._store, queues, sample, SILENCE, host):
            failed = leftovers.orphan(self._store, orphan)
            if failed is not None:
                emit(JobOrphaned(orphan, failed))
        self._unserved += leftovers.unserved(self._store, queues)
        self._at = after
        return True

    def _end(self) -> float | None:
        """End a round; return when the next begins, if it is sooner than usual."""
        unserved, gone = tuple(sorted(set(self._unserved))), self._gone
        self._unserved, self._gone = [], 0
        if self._is_first:
            self._is_first = False
            return FIRST
        self._warn(unserved)
        return BUSY if gone else None

    def _warn(self, unserved: tuple[str, ...]) -> None:
        if unserved and unserved != self._warned:
            emit(QueuesUnserved(unserved))
        self._warned = unserved
