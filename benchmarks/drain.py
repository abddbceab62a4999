"""Drain: how fast a worker empties a queue, and what a job costs it and the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import cpu
from benchmarks.clients import clients
from benchmarks.medians import median_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.contenders import Contender
    from benchmarks.stand import Stand

MICRO = 1e6


class JobsMissing(Exception):
    """A worker ended its burst before all jobs had finished."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What one burst took, from the start of the program to its end.

    Args:
        wall: seconds.
        span: seconds from the start of the first job to the end of the last.
        workers: CPU seconds of the worker and its processes.
        server: CPU seconds of the server.
        commands: that the server ran.
        trips: round trips to the server.
    """

    wall: float
    span: float
    workers: float
    server: float
    commands: float
    trips: float


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
            empty[one.name].append(burst(stand, one, 0))
            full[one.name].append(burst(stand, one, one.jobs))
    return [_drained(one, empty[one.name], full[one.name]) for one in contenders]


def burst(stand: Stand, contender: Contender, jobs: int) -> Burst:
    """Have a contender run so many jobs, from an empty server on.

    Raises:
        JobsMissing: not every job has finished and left its result.
    """
    stand.empty()
    if jobs:
        clients(stand)[contender.client].many(jobs)
    ends = stand.client.lrange("rq:queue:default", 0, 0)
    ends += stand.client.lrange("rq:queue:default", -1, -1)
    before = stand.load()
    cost = cpu.run(contender.command(stand.url, "--burst"), stand.folder)
    after = stand.load()
    check(stand, jobs)
    return Burst(
        cost.wall,
        _span(stand, *ends) if ends else 0.0,
        cost.cpu,
        after.cpu - before.cpu,
        after.commands - before.commands,
        after.trips - before.trips,
    )


def check(stand: Stand, jobs: int) -> None:
    """See that all jobs have finished and left a result, as RQ keeps them.

    Raises:
        JobsMissing: they have not.
    """
    finished = stand.client.zcard("rq:finished:default")
    results = sum(1 for _ in stand.client.scan_iter("rq:results:*", count=1000))
    if (finished, results) != (jobs, jobs):
        raise JobsMissing(f"{jobs} jobs: {finished} finished, {results} with a result")


def _span(stand: Stand, first: bytes, last: bytes) -> float:
    # By the jobs' own records: RQ's worker takes up to a second to begin and to end.
    began = _result(stand, first)[b"execution_started_at"]
    return float(_result(stand, last)[b"execution_ended_at"]) - float(began)


def _result(stand: Stand, job_id: bytes) -> dict[bytes, bytes]:
    entries = stand.client.xrevrange(b"rq:results:" + job_id, count=1)
    fields: dict[bytes, bytes] = entries[0][1]
    return fields


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
