"""What a worker or a clock does while Redis is away: it waits, and says so once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from flow.events import ServerAway, ServerBack
from flow.log import emit
from flow.store.client import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.address import Address

# Seconds that a role's own thread waits for an answer: a server that hangs must not
# keep it from its signals, and a supervisor not from its processes.
SOON = 3.0


def await_server(address: Address) -> None:
    """Wait for a server that is not there yet, and say so: a role is about to start."""
    store = Store(address, patience=Persistence(address))
    store.link.command("PING")
    store.link.close()


class Persistence:
    """Tries for ever to reach a server that is away.

    Args:
        address: of the server.
        wait: waits so many seconds; tests and roles that stop give their own.
        monotonic: measures how long it was away.
    """

    def __init__(
        self,
        address: Address,
        wait: Callable[[float], object] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with a server that answers."""
        self._address = address
        self._wait = wait or threading.Event().wait
        self._monotonic = monotonic
        self._away_since: float | None = None

    def __call__(self, error: Exception, delay: float) -> bool:
        """Wait, and have the call tried once more."""
        if self._away_since is None:
            self._away_since = self._monotonic()
            emit(ServerAway(f"no answer from {self._address}: {error}"))
        self._wait(delay)
        return True

    def answered(self) -> None:
        """Note that a call got through."""
        if self._away_since is not None:
            emit(ServerBack(self._monotonic() - self._away_since))
            self._away_since = None
