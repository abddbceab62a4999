"""Forgotten: what Redis believes to run here, though its outcome was sent and answered.

A server that dies may forget what it had acknowledged: its replica takes over, or it
starts from an older file. A job whose outcome went that way would stand in the started
registry for as long as this process lives. So after each new connection a process
compares what it holds in Redis with what it has, and puts the rest back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.events import OutcomesForgotten
from flow.log import emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.store.client import Store
    from flow.workers.child import Seat
    from flow.workers.pool import Pool

TEXT = (
    "flow.errors.Interrupted: it ran, but Redis has lost its outcome, "
    'and on_crash="fail" forbids to run it again'
)


class Forgotten:
    """Puts back what a process holds in Redis and nowhere else.

    Args:
        store: where the jobs are.
        seat: what the process was given by its supervisor.
    """

    def __init__(self, store: Store, seat: Seat) -> None:
        """Look with the second connection for the first time."""
        self._store = store
        self._seat = seat
        self._connections = 1

    @property
    def due(self) -> bool:
        """Whether there was a new connection since it last looked."""
        return self._store.link.connections > self._connections

    def look(self, pool: Pool, unsent: Sequence[object], below: int) -> bool:
        """Look, if all that was taken is to be seen; no turn may be under way.

        Args:
            pool: what was taken here.
            unsent: the outcomes that Redis does not have yet.
            below: the first execution that is not in the pool yet.

        Returns:
            Whether anything was put back.
        """
        # In this order: an outcome is among the unsent before its slot is free.
        taken, shown = pool.taken, self._seat.part.running()
        if unsent or len(shown) != taken:
            return False  # something is about to begin, or to be sent: soon, then
        connections = self._store.link.connections
        held = self._store.held(self._seat.config.queues)
        forgotten = [
            (one, "stopped")
            for one in held
            if one.process == self._seat.process
            and one.number < below
            and one.number not in shown
        ]
        if forgotten:
            worker = self._seat.worker
            emit(
                OutcomesForgotten(
                    *self._store.recover(forgotten, worker=worker, text=TEXT)
                )
            )
        self._connections = connections
        return bool(forgotten)
