"""Seats: a worker has so many processes, and each that ends has a successor."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from flow import events
from flow.log import emit
from flow.workers import child, recycling
from flow.workers.births import births_of
from flow.workers.board import Board
from flow.workers.line import MOST
from flow.workers.process import Process, new_name

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from flow.config import WorkerConfig
    from flow.store.address import Address

QUICK = 1.0  # seconds: a process that died younger waits before it is replaced


class Seats:
    """The processes of a worker, those that died and are not buried, and who is next.

    Args:
        config: what the worker was told.
        address: the server, for the processes' own connections.
        worker: the worker's name.
        asks: where processes ask for one more of their own.
        forget: closes what is the supervisor's own, in a process that was just forked.

    Raises:
        ConfigError: the processes cannot be spawned, as was asked for.
    """

    def __init__(
        self,
        config: WorkerConfig,
        address: Address,
        worker: str,
        asks: socket.socket,
        forget: Callable[[], None],
    ) -> None:
        """Prepare; nothing is started before ``start``."""
        self._config, self._address, self._worker = config, address, worker
        self._asks, self.births = asks, births_of(config, forget, asks)
        self._room = recycling.room(config)
        self.board = Board(self._room, config.threads + config.concurrency + MOST)
        self.processes: dict[int, Process] = {}
        self.dead: list[tuple[Process, int]] = []  # with their wait statuses
        self._empty: dict[int, float] = {}

    @property
    def taken(self) -> bool:
        """Whether a process lives, or is still to be buried."""
        return bool(self.processes or self.dead)

    @property
    def empty(self) -> bool:
        """Whether a successor is to come."""
        return bool(self._empty)

    @property
    def has_room(self) -> bool:
        """Whether one more process may start."""
        here = len(self.processes) + len(self.dead)
        return here + len(self._empty) < self._room

    def wait(self) -> float:
        """Return the seconds until a successor is due, or a very long time."""
        return min(self._empty.values(), default=float("inf")) - time.monotonic()

    def start(self, seat: int) -> None:
        """Start a process.

        Raises:
            OSError: the system has no memory or descriptor left.
        """
        bell, ringer = os.pipe()
        os.set_blocking(ringer, False)
        place, name = self._free_place(), new_name()
        part = self.board.part(place)
        part.clear()
        given = child.Seat(
            process=name,
            worker=self._worker,
            config=self._config,
            address=self._address,
            board=self.board,
            part=part,
            bell=bell,
            asks=self._asks,
            parent=os.getpid(),
        )
        try:
            pid = self.births.seat(given, ringer)
        except OSError:
            os.close(bell)
            os.close(ringer)
            raise
        os.close(bell)
        process = Process(seat, place, part, ringer, pid, time.monotonic(), name)
        process.before = process.jobs
        self.processes[pid] = process

    def fill(self) -> bool:
        """Start the successors that are due; return whether any was."""
        now, before = time.monotonic(), len(self.processes)
        for seat in [one for one, due in self._empty.items() if due <= now]:
            del self._empty[seat]
            try:
                self.start(seat)
            except OSError as error:
                # No memory or no descriptor left just now: the others must go on.
                self._empty[seat] = now + QUICK
                emit(events.UpkeepFailed("starting a process", str(error)))
        return len(self.processes) > before

    def keep_empty(self) -> None:
        """Have no successors: the worker stops."""
        self._empty.clear()

    def relieve(self) -> None:
        """Give successors to processes that take nothing new."""
        for process in self.processes.values():
            if not process.part.retires:
                continue
            self._announce(process)
            wanted = process.part.vacant and not self._config.once
            if wanted and not process.relieved and self.has_room:
                process.relieved = True
                self._empty[process.seat] = time.monotonic()

    def vacate(self, process: Process, *, died: bool) -> None:
        """Have a successor for a process that ended, where there is to be one."""
        if process.relieved:
            return
        now = time.monotonic()
        if process.part.retires and not died:
            self._announce(process)
            if not self._config.once:
                self._empty[process.seat] = now
        elif died or not self._config.burst:
            young = now - process.born < QUICK
            self._empty[process.seat] = now + (QUICK if young else 0.0)

    def ring(self) -> None:
        """Tell all processes that there may be work, or that the worker stops."""
        for process in self.processes.values():
            process.ring()

    def kill(self) -> None:
        """End all processes, and all that their jobs started."""
        for process in self.processes.values():
            process.kill()

    def close_bells(self) -> None:
        """Close the bells of all: a process that was forked has its own."""
        for process in self.processes.values():
            process.close()

    def _announce(self, process: Process) -> None:
        if not process.announced:
            process.announced = True
            why = recycling.why(self._config, process)
            emit(events.ProcessRetired(process.pid, why))

    def _free_place(self) -> int:
        taken = {process.place for process in self.processes.values()}
        taken |= {process.place for process, _ in self.dead}
        return next(n for n in range(self._room) if n not in taken)
