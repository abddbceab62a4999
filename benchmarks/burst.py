"""Burst: a contender runs what waits on an emptied server, and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import cpu
from benchmarks.clients import clients

if TYPE_CHECKING:
    from benchmarks.contenders import Contender
    from benchmarks.stand import Stand


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


def run(stand: Stand, contender: Contender, jobs: int) -> Burst:
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
    # A set: SCAN may name a key twice.
    results = len(set(stand.client.scan_iter("rq:results:*", count=1000)))
    if (finished, results) != (jobs, jobs):
        raise JobsMissing(f"{jobs} jobs: {finished} finished, {results} with a result")


def _span(stand: Stand, first: bytes, last: bytes) -> float:
    # By the jobs' own records: an empty burst of RQ's took from 0.2 to 1.4 seconds.
    began = _result(stand, first)[b"execution_started_at"]
    return float(_result(stand, last)[b"execution_ended_at"]) - float(began)


def _result(stand: Stand, job_id: bytes) -> dict[bytes, bytes]:
    entries = stand.client.xrevrange(b"rq:results:" + job_id, count=1)
    fields: dict[bytes, bytes] = entries[0][1]
    return fields
