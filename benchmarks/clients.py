"""The two clients, each used as its users do."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import rq

from benchmarks import declared, plain
from flow.store import current
from flow.store.address import Address
from flow.store.client import Store

if TYPE_CHECKING:
    from benchmarks.stand import Stand

PATIENCE = 60  # seconds a result may take


class Client(Protocol):
    """What is measured of a client."""

    def one_by_one(self, count: int) -> None:
        """Enqueue so many jobs, each in a call of its own."""

    def many(self, count: int) -> None:
        """Enqueue so many jobs in one call."""

    def round_trip(self) -> float:
        """Enqueue a job and wait for its result: the unix seconds when it began."""
        ...


class FlowClient:
    """flow's tasks.

    Args:
        stand: where the jobs go.
    """

    def __init__(self, stand: Stand) -> None:
        """Make the stand's server this process's own."""
        current.use(Store(Address(stand.url, "the benchmark")))

    def one_by_one(self, count: int) -> None:
        """Enqueue so many jobs, each in a call of its own."""
        for one in range(count):
            declared.number.enqueue(one)

    def many(self, count: int) -> None:
        """Enqueue so many jobs in one call."""
        declared.number.enqueue_many((one,) for one in range(count))

    def round_trip(self) -> float:
        """Enqueue a job and wait for its result: the unix seconds when it began."""
        return declared.started.enqueue().result(PATIENCE)


class RqClient:
    """RQ's queue.

    Args:
        stand: where the jobs go.
    """

    def __init__(self, stand: Stand) -> None:
        """Make a queue."""
        make: Any = rq.Queue
        self._queue: Any = make("default", connection=stand.client)

    def one_by_one(self, count: int) -> None:
        """Enqueue so many jobs, each in a call of its own."""
        for one in range(count):
            self._queue.enqueue(plain.number, one)

    def many(self, count: int) -> None:
        """Enqueue so many jobs in one call."""
        prepare = self._queue.prepare_data
        self._queue.enqueue_many(prepare(plain.number, (n,)) for n in range(count))

    def round_trip(self) -> float:
        """Enqueue a job and wait for its result: the unix seconds when it began."""
        job = self._queue.enqueue(plain.started)
        return float(job.latest_result(timeout=PATIENCE).return_value)


@cache
def clients(stand: Stand) -> dict[str, Client]:
    """Return both clients by name; flow's first, with which RQ's is compared."""
    return {"flow": FlowClient(stand), "rq": RqClient(stand)}
