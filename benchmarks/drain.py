"""Drain: how fast a worker empties a queue, and what a job costs it and the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import burst
from benchmarks.medians import median_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.burst import Burst
    from benchmarks.contenders import Contender
    from benchmarks.stand import Stand

MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Drained:
    """What a job took of a contender: medians; costs without those of an empty burst.

    Args:
        name: the contender.
        jobs: how many it ran in each round.
        seconds: from one job to the next.
        workers: CPU microseconds a job, of the worker and its processes.
        server: CPU microseconds a job, of the server.
        commands: a job, inside scripts too.
        trips: round trips a job.
        start: what an empty burst took.
    """

    name: str
    jobs: int
    seconds: float
    workers: float
    server: float
    commands: float
    trips: float
    start: Burst

    @property
    def cpu(self) -> float:
        """CPU microseconds a job in all."""
        return self.workers + self.server


def measure(
    stand: Stand,
    contenders: Sequence[Contender],
    rounds: int,
    tell: Callable[[str], None],
) -> list[Drained]:
    """Measure all contenders in turn, so many times.

    Interleaved, so that what else the machine does hits all alike.
    """
    empty: dict[str, list[Burst]] = {one.name: [] for one in contenders}
    full: dict[str, list[Burst]] = {one.name: [] for one in contenders}
    for turn in range(1, rounds + 1):
        for one in contenders:
            tell(f"drain, round {turn} of {rounds}: {one.name}")
            empty[one.name].append(burst.run(stand, one, 0))
            full[one.name].append(burst.run(stand, one, one.jobs))
    return [_drained(one, empty[one.name], full[one.name]) for one in contenders]


def _drained(one: Contender, empty: Sequence[Burst], full: Sequence[Burst]) -> Drained:
    start, end = median_of(empty), median_of(full)
    return Drained(
        one.name,
        one.jobs,
        seconds=end.span / one.jobs,
        workers=(end.workers - start.workers) / one.jobs * MICRO,
        server=(end.server - start.server) / one.jobs * MICRO,
        commands=(end.commands - start.commands) / one.jobs,
        trips=(end.trips - start.trips) / one.jobs,
        start=start,
    )
