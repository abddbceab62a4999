"""Quiet: a worker finishes what it has and takes nothing new, until it is resumed.

Told by SIGTSTP, as Sidekiq's workers are, or in Redis by ``flow workers quiet``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow import events
from flow.log import emit

if TYPE_CHECKING:
    from flow.workers.board import Board
    from flow.workers.heartbeat import Heartbeat


class Quiet:
    """Whether a worker takes jobs.

    Args:
        worker: its name.
        board: where its processes see it.
        heartbeat: brings the orders of Redis, and shows the state there.
    """

    def __init__(self, worker: str, board: Board, heartbeat: Heartbeat) -> None:
        """Begin as a worker does: it takes jobs."""
        self._worker = worker
        self._board = board
        self._heartbeat = heartbeat
        self._obeyed: str | None = None

    def begin(self, why: str) -> bool:
        """Take nothing new; return whether that is news."""
        if self._board.quiet:  # so is a worker that stops
            return False
        self._board.quiet = self._heartbeat.resting = True
        emit(events.WorkerQuiet(self._worker, why))
        return True

    def end(self) -> bool:
        """Take jobs again; return whether that is news."""
        if self._board.stopping or not self._board.quiet:
            return False
        self._board.quiet = self._heartbeat.resting = False
        emit(events.WorkerResumed())
        return True

    def obey(self) -> bool:
        """Do what the last beat was told, once; return whether it changed anything.

        What stood there at the first beat was meant for a worker of the same name that
        is gone.
        """
        order, obeyed = self._heartbeat.order, self._obeyed
        if order is None or order == obeyed:
            return False
        self._obeyed = order
        if obeyed is None:
            return False
        return self.end() if order.startswith("resume") else self.begin("flow workers")
