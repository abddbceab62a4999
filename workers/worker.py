"""The role of a worker: from what it was told to its supervisor."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

from flow import events
from flow.log import emit
from flow.patience import await_server
from flow.signals import STOP, ended_by
from flow.store.client import Store
from flow.workers.supervisor import Supervisor

if TYPE_CHECKING:
    from flow.config import WorkerConfig
    from flow.store.address import Address
    from flow.workers.heartbeat import Census

# Seconds the supervisor waits for an answer: a server that hangs must not keep it from
# its processes and its signals.
SOON = 3.0


def run(address: Address, config: WorkerConfig, name: str | None = None) -> Census:
    """Run a worker until it stops; the app is loaded already.

    Args:
        address: the server.
        config: what the worker was told.
        name: unique in the fleet; made of host and process by default.

    Returns:
        What its processes have done.
    """
    _warn_of_threads()
    with ended_by(STOP):
        await_server(address)
    # What the app loaded is shared with the processes as long as nobody writes to it.
    gc.collect()
    gc.freeze()
    store = Store(address, timeout=SOON)
    return Supervisor(store, address, config, name).run()


def _warn_of_threads() -> None:
    main = threading.main_thread()
    names = [one.name for one in threading.enumerate() if one is not main]
    if names:
        emit(events.ThreadsFound(names))
