"""Settler: outcomes that a worker sends in the place of its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.store.client import Exchange
from flow.workers.outbox import AT_ONCE
from flow.workers.process import new_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.store.client import Store
    from flow.workers.outbox import Packed


class Settler:
    """Settles jobs of processes that died, stand still, or have not begun them.

    Args:
        store: where the jobs are.
        worker: the worker's name.
    """

    def __init__(self, store: Store, worker: str) -> None:
        """Have sent nothing yet."""
        self.worker = worker
        self._store = store
        self._process, self._turn = new_name(), 0

    def settle(self, outcomes: Sequence[Packed]) -> list[tuple[str, str]]:
        """Send outcomes; return what was refused, as (job, why)."""
        refused: list[tuple[str, str]] = []
        for start in range(0, len(outcomes), AT_ONCE):
            some = outcomes[start : start + AT_ONCE]
            self._turn += 1
            ask = Exchange(self._process, self._turn, 1, 0, self.worker, (), some)
            refused += self._store.exchange(ask)[0]
        return refused

    def finish(self) -> None:
        """Leave nothing of this in Redis: the worker ends."""
        if self._turn:
            self._store.leave([self._process])
