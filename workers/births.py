"""Births: how the processes of a worker come to be, forked or spawned.

A fork has the app as the supervisor loaded it, at no cost; but no thread survives it,
and on macOS the system's own libraries do not either. What is spawned is a fresh
interpreter that loads the app itself.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Protocol

from flow.workers import child, isolated
from flow.workers.spawning import Spawning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from socket import socket

    from flow.config import WorkerConfig


class Births(Protocol):
    """Brings up processes; each method returns the process id.

    Both raise OSError when the system has no memory or descriptor left.
    """

    def seat(self, seat: child.Seat, ringer: int, /) -> int:
        """Start a process that takes jobs; ``ringer`` is the supervisor's alone."""
        ...

    def room(self, room: isolated.Room, verdict: int, /) -> int:
        """Start a process for one job; ``verdict`` is the supervisor's alone."""
        ...


class Forking:
    """Forks processes.

    Args:
        forget: closes what is the supervisor's own, in a process that was just forked.
        asks: what a process that takes jobs keeps, and one for a single job does not.
    """

    def __init__(self, forget: Callable[[], None], asks: socket) -> None:
        """Fork nothing yet."""
        self._forget, self._asks = forget, asks

    def seat(self, seat: child.Seat, ringer: int) -> int:
        """Fork a process that takes jobs."""
        pid = os.fork()
        if pid == 0:
            self._forget()
            os.close(ringer)
            child.main(seat)
        return pid

    def room(self, room: isolated.Room, verdict: int) -> int:
        """Fork a process for one job."""
        pid = os.fork()
        if pid == 0:
            self._forget()
            self._asks.close()
            os.close(verdict)
            isolated.main(room)
        return pid


def births_of(config: WorkerConfig, forget: Callable[[], None], asks: socket) -> Births:
    """Return what brings up processes as a worker was told.

    Args:
        config: what it was told.
        forget: closes what is the supervisor's own, after a fork.
        asks: where the processes ask for those of isolated jobs.

    Raises:
        ConfigError: they cannot be spawned.
    """
    return Spawning() if config.start_method == "spawn" else Forking(forget, asks)


def chosen(
    asked: str, threads: Sequence[str], platform: str = sys.platform
) -> tuple[str, str]:
    """Return ``fork`` or ``spawn``, and why.

    Args:
        asked: what the worker was told; ``auto`` leaves it to this.
        threads: those that the app started while it was imported.
        platform: as in ``sys.platform``.
    """
    if asked != "auto":
        return asked, "as it was told"
    if platform == "darwin":
        return "spawn", "macOS"
    if threads:
        return "spawn", f"the app has started threads: {', '.join(threads)}"
    return "fork", ""
