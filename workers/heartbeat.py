"""Heartbeat: shows in Redis that a worker and its processes live.

The supervisor beats, not the processes: a job that holds the GIL for minutes loses
nothing. The hash has the union of what RQ 2.12 and 3 write, so that their readers see
the worker.
"""

from __future__ import annotations

import os
import platform
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow import codec
from flow.service import Service
from flow.store.client import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.store.client import Store
    from flow.workers.board import Board

LIFETIME = 60  # seconds RQ's readers see a worker after its last beat


@dataclass(frozen=True, slots=True)
class Census:
    """What a worker's processes have done.

    Args:
        processes: the names of those that live.
        done: jobs that ended well, since the worker began.
        failed: jobs that did not.
        worked: seconds of work.
        running: jobs that run now.
    """

    processes: Sequence[str]
    done: int = 0
    failed: int = 0
    worked: float = 0.0
    running: int = 0

    @property
    def jobs(self) -> int:
        """How many jobs ended, well or not."""
        return self.done + self.failed


class Heartbeat(Service):
    """Beats for all processes of a worker.

    Args:
        store: where it shows.
        board: where the processes see that it has beaten.
        name: the worker's name.
        queues: what it serves.
        census: counts the processes and what they did.
        now: the wall clock, unix seconds.
    """

    interval = 3.0

    def __init__(
        self,
        store: Store,
        board: Board,
        name: str,
        queues: Sequence[str],
        census: Callable[[], Census],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Beat nothing yet."""
        self._store = store
        self._board = board
        self._name = name
        self._queues = queues
        self._census = census
        self._now = now
        self._birth = codec.iso(now())
        self.asked_to_stop = False
        self.order: str | None = None  # what the last beat was told; None before it
        self.resting = False

    def run_once(self) -> None:
        """Beat once."""
        census = self._census()
        worker = Worker(
            self._name,
            self._queues,
            census.processes,
            self._fields(census.running),
            census.done,
            census.failed,
            census.worked,
        )
        told = self._store.beat(worker, LIFETIME)
        self.asked_to_stop, self.order = told.stop, told.order
        self._board.beaten()

    def _fields(self, running: int) -> dict[str, str]:
        return {
            "birth": self._birth,
            "last_heartbeat": codec.iso(self._now()),
            "queues": ",".join(self._queues),
            "pid": str(os.getpid()),
            "hostname": socket.gethostname(),
            "ip_address": "unknown",
            "version": "flow",
            "python_version": platform.python_version(),
            "state": self._state(running),
            "flow_running": str(running),
        }

    def _state(self, running: int) -> str:
        if self.resting:
            return "suspended"  # RQ's word
        return "busy" if running else "idle"
