"""Memory: the server's bytes for a job that waits, and for one that has finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import burst, cpu
from benchmarks.clients import clients
from benchmarks.contenders import CONTENDERS, FLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.contenders import Contender
    from benchmarks.stand import Stand

# RQ's workers leave the same record: the quick one does for both.
SIMPLE = next(one for one in CONTENDERS if one.name == "rq SimpleWorker")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes a job, with its share of queue, registry and table of keys.

    Args:
        waiting: while it waits.
        finished: once it has finished.
        payload: those of them that are the packed call.
    """

    waiting: float
    finished: float
    payload: float


def measure(stand: Stand, count: int, tell: Callable[[str], None]) -> dict[str, Memory]:
    """Measure so many jobs of each client."""
    tell("memory")
    return {"flow": _measure(stand, FLOW, count), "rq": _measure(stand, SIMPLE, count)}


def _measure(stand: Stand, contender: Contender, count: int) -> Memory:
    stand.empty()
    # What a worker leaves behind once is no job's.
    cpu.run(contender.command(stand.url, "--burst"), stand.folder)
    before = stand.memory()
    clients(stand)[contender.client].many(count)
    waiting = stand.memory()
    payload = _payload(stand)
    cpu.run(contender.command(stand.url, "--burst"), stand.folder)
    finished = stand.memory()
    burst.check(stand, count)
    return Memory((waiting - before) / count, (finished - before) / count, payload)


def _payload(stand: Stand) -> int:
    job_id = stand.client.lindex("rq:queue:default", 0)
    return int(stand.client.hstrlen(b"rq:job:" + job_id, "data"))
