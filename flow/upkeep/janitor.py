"""Janitor: the registries forget jobs that have expired, in slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.events import QueuesUnserved
from flow.log import emit
from flow.service import Service

if TYPE_CHECKING:
    from flow.store.client import Store

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
        self._warned: tuple[str, ...] = ()

    def run_once(self) -> float | None:
        """Trim one slice of every queue; return 0.1 s when there is more to do."""
        queues = self._store.queues()
        busy = [self._store.trim(queue, SLICE) >= SLICE for queue in queues]
        unserved = tuple(self._store.unserved(queues))
        if unserved and unserved != self._warned:
            emit(QueuesUnserved(unserved))
        self._warned = unserved
        return 0.1 if any(busy) else None
