"""Promoter: delayed and retried jobs go to their queue when their time has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.service import Service

if TYPE_CHECKING:
    from flow.store.client import Store


class Promoter(Service):
    """Queues what is due, in every queue of this Redis.

    Args:
        store: where the jobs are.
    """

    # How late a job may be whose delay was shortened behind our back, in seconds.
    interval = 1.0

    def __init__(self, store: Store) -> None:
        """Promote nothing yet."""
        self._store = store

    def run_once(self) -> float:
        """Promote what is due; return the seconds until the next, at most a second."""
        queues = self._store.queues()
        if not queues:
            return self.interval
        _, wait = self._store.promote(queues)
        return self.interval if wait is None else min(self.interval, max(0.0, wait))
