"""Bell: what changes in Redis rings those processes of a worker that listen."""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING

from flow import keys
from flow.store.doorbell import SCHEDULED, Doorbell

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.config import WorkerConfig
    from flow.store.address import Address
    from flow.workers.seats import Seats

AGAIN = 1.0  # seconds between two rings where nothing is heard
PROMOTES = frozenset({SCHEDULED, keys.RELEASING})  # what the supervisor moves itself
ALSO = (*PROMOTES, keys.SUSPENDED, keys.PAUSED)  # beside the queues


class Bell:
    """A worker's doorbell, and what it rings.

    Args:
        address: the server.
        config: what the worker was told.
        worker: the worker's name.
        selector: the supervisor's; the bell enters itself.
        seats: whose processes it rings.
    """

    def __init__(
        self,
        address: Address,
        config: WorkerConfig,
        worker: str,
        selector: selectors.BaseSelector,
        seats: Seats,
    ) -> None:
        """Prepare; ``listen`` connects."""
        # Its own queues alone: what others push or take must not wake this worker.
        queues = map(keys.queue, config.queues)
        self._doorbell = Doorbell(address, (*queues, *ALSO), keys.commands(worker))
        self._selector = selector
        self._seats = seats
        self._due = 0.0
        self.on_scheduled: Callable[[], None] = _nothing
        self.on_queue: Callable[[], None] = _nothing
        self.on_message: Callable[[bytes], None] = _nothing

    @property
    def connected(self) -> bool:
        """Whether changes are heard."""
        return self._doorbell.connected

    def listen(self) -> None:
        """Connect, unless it is; else have the processes look each second."""
        if self.connected:
            self._doorbell.probe()
            return
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + AGAIN
        descriptor = self._doorbell.connect()
        if descriptor is not None:
            self._selector.register(descriptor, selectors.EVENT_READ, self._hear)
            self.on_scheduled()
            self._hear()  # what came while it connected is read already
        # What changed before it listened; without a bell they look each second.
        self._seats.ring()

    def _hear(self) -> None:
        descriptor = self._doorbell.fileno()
        rung = self._doorbell.rung()
        for message in self._doorbell.messages():
            self.on_message(message)
        if rung is None:
            self._selector.unregister(descriptor)
            self.on_scheduled()
            return
        if rung - PROMOTES:
            self.on_queue()
        if rung - PROMOTES and not self._seats.board.quiet:
            for process in self._seats.processes.values():
                if process.part.listening:
                    process.ring()
        if rung & PROMOTES:
            self.on_scheduled()

    def forget(self) -> None:
        """Leave the connection to the supervisor: this process was just forked."""
        self._doorbell.forget()

    def close(self) -> None:
        """Hang up."""
        self._doorbell.close()


def _nothing(*_: object) -> None:
    """Be told of what nobody waits for."""
