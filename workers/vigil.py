"""Vigil: the supervisor asks about the long jobs of a process that cannot.

A job that keeps the interpreter to itself keeps its process's watch from looking, too:
RQ's tools would see it no more, and nobody would notice that it was taken away.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flow.record import Claim
from flow.service import Service
from flow.store import running
from flow.workers.board import number
from flow.workers.watch import EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from flow.store.client import Store
    from flow.workers.process import Process

SILENT = 2.5 * EVERY  # seconds without a look of the process itself


class Vigil(Service):
    """Does what ``Watch`` does, for processes that stand still.

    Args:
        store: where the jobs are.
        worker: its name.
        queues: what it serves.
        processes: those that live.
        monotonic: the clock of the processes' own looks.
    """

    interval = EVERY

    def __init__(
        self,
        store: Store,
        worker: str,
        queues: Sequence[str],
        processes: Callable[[], Collection[Process]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have seen nothing yet."""
        self._store = store
        self._worker = worker
        self._queues = queues
        self._processes = processes
        self._monotonic = monotonic
        self._seen: dict[str, set[int]] = {}

    def run_once(self) -> None:
        """Look at the board, and ask the server only where a process stands still."""
        before, self._seen = self._seen, {}
        long: dict[str, tuple[Process, set[int]]] = {}
        for process in self._processes():
            runs = self._seen[process.name] = _runs(process)
            silent = self._monotonic() - process.part.watched > SILENT
            if silent and (still := runs & before.get(process.name, set())):
                long[process.name] = process, still
        if not long:
            return
        held = self._store.held(self._queues)
        for process, numbers in long.values():
            mine = [one for one in held if one.process == process.name]
            claims = [
                Claim(one.queue, one.job_id, one.execution, None)
                for one in mine
                if one.number in numbers
            ]
            own = running.owned(self._store, claims, self._worker)
            process.part.doubted.keep(
                numbers - {number(claim.execution) for claim in own}
            )


def _runs(process: Process) -> set[int]:
    """Return what runs and has not ended; nothing while that changes."""
    unsent = process.part.unsent()
    return set() if unsent is None else process.part.running() - unsent.keys()
