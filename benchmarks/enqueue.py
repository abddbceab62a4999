"""Enqueue: how fast a client puts jobs into a queue, one by one and many at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.clients import clients
from benchmarks.medians import median_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.stand import Stand

MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What it takes to enqueue a job.

    Args:
        seconds: from one job to the next.
        client: CPU microseconds a job, of the client.
        server: CPU microseconds a job, of the server.
        commands: a job, inside scripts too.
        trips: round trips a job.
    """

    seconds: float
    client: float
    server: float
    commands: float
    trips: float


def measure(
    stand: Stand, count: int, rounds: int, tell: Callable[[str], None]
) -> dict[str, Enqueued]:
    """Measure each client both ways, in turn, so many times; by what was done."""
    samples: dict[str, list[Enqueued]] = {}
    for turn in range(rounds):
        tell(f"enqueue, round {turn + 1} of {rounds}")
        for way in ("one by one", "many"):
            for name, client in clients(stand).items():
                enqueue = client.many if way == "many" else client.one_by_one
                enqueue(1)  # connected, and the script loaded
                sample = _sample(stand, enqueue, count)
                samples.setdefault(f"{name}, {way}", []).append(sample)
                stand.empty()
    return {what: median_of(found) for what, found in samples.items()}


def _sample(stand: Stand, enqueue: Callable[[int], None], count: int) -> Enqueued:
    before, cpu, start = stand.load(), time.process_time(), time.perf_counter()
    enqueue(count)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    after = stand.load()
    return Enqueued(
        seconds / count,
        cpu / count * MICRO,
        (after.cpu - before.cpu) / count * MICRO,
        (after.commands - before.commands) / count,
        (after.trips - before.trips) / count,
    )
