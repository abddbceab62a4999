"""The role of a worker: from what it was told to its supervisor."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from flow import events
from flow.log import emit
from flow.patience import SOON, await_server
from flow.signals import STOP, ended_by
from flow.store.client import Store
from flow.workers import births
from flow.workers.supervisor import Supervisor

if TYPE_CHECKING:
    from flow.config import WorkerConfig
    from flow.store.address import Address
    from flow.workers.heartbeat import Census


def run(address: Address, config: WorkerConfig, name: str | None = None) -> Census:
    """Run a worker until it stops; the app is loaded already.

    Args:
        address: the server.
        config: what the worker was told.
        name: unique in the fleet; made of host and process by default.

    Returns:
        What its processes have done.
    """
    config = _with_start_method(config)
    with ended_by(STOP):
        await_server(address)
    # What the app loaded is shared with the processes as long as nobody writes to it.
    gc.collect()
    gc.freeze()
    store = Store(address, timeout=SOON)
    return Supervisor(store, address, config, name).run()


def _with_start_method(config: WorkerConfig) -> WorkerConfig:
    """Settle how processes are started, and say so where it is not by a plain fork."""
    main = threading.main_thread()
    threads = [one.name for one in threading.enumerate() if one is not main]
    method, why = births.chosen(config.start_method, threads)
    reasons = dict(config.reasons)
    if method == "spawn":
        reasons["start_method"] = f"processes are spawned ({why})"
    elif threads:
        emit(events.ThreadsFound(threads))
    return replace(config, start_method=method, reasons=reasons)
