"""Latency: how soon an idle worker begins a job, and its client has the result."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import cpu
from benchmarks.clients import clients
from benchmarks.contenders import FLOW, RQ
from benchmarks.medians import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.stand import Stand

IDLE = 0.03  # seconds between two jobs, in which the worker gets idle again
MILLI = 1e3


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from before a job was enqueued, by half and by 99 % of the jobs.

    Args:
        start: until it began; half of them.
        start99: the same, of 99 in 100.
        result: until the client had the result; half of them.
        result99: the same, of 99 in 100.
        worst: the same, of all.
        jobs: how many there were.
    """

    start: float
    start99: float
    result: float
    result99: float
    worst: float
    jobs: int


def measure(
    stand: Stand, count: int, tell: Callable[[str], None]
) -> dict[str, Latency]:
    """Measure an idle worker of each kind, and the server's own round trip."""
    found = {"a PING": _pings(stand, count)}
    for contender, jobs in ((FLOW, count), (RQ, max(10, count // 4))):
        tell(f"latency: {contender.name}")
        stand.empty()
        client = clients(stand)[contender.client]
        with cpu.started(contender.command(stand.url), stand.folder):
            client.round_trip()  # it is up
            found[contender.name] = spread_of(
                [trip(client.round_trip) for _ in range(jobs)]
            )
    return found


def trip(round_trip: Callable[[], float]) -> tuple[float, float]:
    """Return the seconds until a job began, and until its result was there."""
    threading.Event().wait(IDLE)
    wall, start = time.time(), time.perf_counter()
    began = round_trip()
    return began - wall, time.perf_counter() - start


def _pings(stand: Stand, count: int) -> Latency:
    def ping() -> float:
        stand.client.ping()
        return time.time()

    return spread_of([trip(ping) for _ in range(count)])


def spread_of(trips: Sequence[tuple[float, float]]) -> Latency:
    """Return what trips took, by half and by 99 % of them."""
    starts = [start * MILLI for start, _ in trips]
    results = [result * MILLI for _, result in trips]
    return Latency(
        percentile(starts, 50),
        percentile(starts, 99),
        percentile(results, 50),
        percentile(results, 99),
        max(results),
        len(trips),
    )
