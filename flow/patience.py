"""What a worker or a clock does while Redis is away: it waits, and says so once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.store.client import Store
from flow.store.persistence import Persistence

if TYPE_CHECKING:
    from flow.store.address import Address

# Seconds that a role's own thread waits for an answer: a server that hangs must not
# keep it from its signals, and a supervisor not from its processes.
SOON = 3.0


def await_server(address: Address) -> None:
    """Wait for a server that is not there yet, and say so: a role is about to start."""
    store = Store(address, patience=Persistence(address))
    store.link.command("PING")
    store.link.close()
