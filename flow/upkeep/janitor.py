"""Janitor: what has expired or was left behind goes, in slices."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from flow.events import QueuesUnserved
from flow.log import emit
from flow.service import Service
from flow.upkeep.tidier import Tidier

if TYPE_CHECKING:
    from flow.store.client import Store

FIRST = 4.0  # seconds after which the roles that start with this one have shown up
BUSY = 5.0  # seconds between two turns while entries expire
SAMPLE = 50  # of what was left behind, what a turn looks at of each kind
SILENCE = 600.0  # seconds after the last beat of a role of this host that is gone
SLICE = 500  # entries a call removes at most, so that no script call is long


class Janitor(Service):
    """Trims what RQ's own workers would trim, and notes what nobody serves.

    Args:
        store: where the jobs are.
    """

    interval = 30.0

    def __init__(self, store: Store) -> None:
        """Trim nothing yet."""
        self._store = store
        self._tidier = Tidier(store)
        self._host = socket.gethostname()
        self._warned: tuple[str, ...] = ()
        self._is_first = True

    def run_once(self) -> float | None:
        """Trim one slice of every queue; return when to look again, if it is sooner.

        Nothing is said of queues in the first turn: others may be starting too.
        """
        queues = self._store.queues()
        gone = max((self._store.trim(queue, SLICE) for queue in queues), default=0)
        if gone >= SLICE:
            return 0.1
        self._store.sweep(self._host, SAMPLE, SILENCE)
        if self._is_first:
            self._is_first = False
            return FIRST
        self._warn(tuple(self._store.unserved(queues)))
        if self._tidier.turn():
            return 0.1
        return BUSY if gone else None

    def _warn(self, unserved: tuple[str, ...]) -> None:
        if unserved and unserved != self._warned:
            emit(QueuesUnserved(unserved))
        self._warned = unserved
