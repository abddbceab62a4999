"""Recycling: a process that has run enough jobs, or grown too large, is replaced.

It takes nothing new, lets what runs end, and gives back what it had claimed ahead. Its
successor starts as soon as it has no plain job left: a coroutine that runs on for an
hour keeps no seat empty, and no two plain jobs run where one was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.service import Service
from flow.workers import memory
from flow.workers.board import Retirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flow.config import WorkerConfig
    from flow.workers.process import Process

MB = 1 << 20  # bytes
AT_ONCE = 2  # processes of a seat: the one that works, and one that ends


def room(config: WorkerConfig) -> int:
    """Return how many processes a worker has at most, those included that end."""
    recycles = config.max_jobs or config.max_memory
    return config.processes * (AT_ONCE if recycles else 1)


def scales(
    config: WorkerConfig,
    processes: Callable[[], Iterable[Process]],
    has_room: Callable[[], bool],
) -> list[Service]:
    """Return what weighs the processes, if a worker was told a limit."""
    if not config.max_memory:
        return []
    return [Scales(config.max_memory, processes, has_room)]


def why(config: WorkerConfig, process: Process) -> str:
    """Return in words why a process is replaced."""
    if process.part.retirement is Retirement.MEMORY:
        limit = f"--max-memory {config.max_memory / MB:.4g}MB"
        return f"it takes {process.weight / MB:.4g} MB ({limit})"
    return f"it has taken {config.max_jobs} jobs (--max-jobs)"


class Scales(Service):
    """Weighs the processes of a worker; those too large are to end.

    Only one that has run a job: an app that is larger than the limit from the start
    would be replaced for ever, and no job would run.

    Args:
        limit: bytes.
        processes: those that live.
        has_room: whether a successor may start beside them.
        weigh: a process's bytes; exact only beyond the limit.
    """

    interval = 1.0
    asks_server = False

    def __init__(
        self,
        limit: int,
        processes: Callable[[], Iterable[Process]],
        has_room: Callable[[], bool],
        weigh: Callable[[int, int], int] = memory.of,
    ) -> None:
        """Weigh nothing yet."""
        self._limit = limit
        self._processes = processes
        self._has_room = has_room
        self._weigh = weigh

    def run_once(self) -> None:
        """Weigh each process once."""
        for process in list(self._processes()):
            if process.part.retirement or not process.jobs or not self._has_room():
                continue
            process.weight = self._weigh(process.pid, self._limit)
            if process.weight > self._limit:
                process.part.retirement = Retirement.MEMORY
                process.ring()
