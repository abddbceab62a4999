"""Live: what a worker costs that runs on, how soon it works, and how much at once."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks import cpu, declared
from benchmarks.clients import FlowClient
from benchmarks.contenders import FLOW
from flow.store import current

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.stand import Stand
    from flow import Task

PATIENCE = 120  # seconds any of it may take
TOGETHER = 0.1  # seconds that each of many jobs sleeps
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Args:
        idle: seconds for which a worker is watched.
        coroutines: at a time, on one process.
        threads: at a time, in one process.
    """

    idle: float = 10.0
    coroutines: int = 1000
    threads: int = 64


@dataclass(frozen=True, slots=True)
class Live:
    """What was found.

    Args:
        start: seconds from starting ``flow worker`` to the start of its first job.
        cpu: percent of a core that an idle worker with two processes takes.
        commands: a second, that it sends.
        connections: that it holds.
        process: bytes that one more process of a worker takes, its own pages only.
        coroutines: seconds for all of them, each sleeping 0.1 s.
        threads: the same.
        size: how many of both there were.
    """

    start: float
    cpu: float
    commands: float
    connections: int
    process: float
    coroutines: float
    threads: float
    size: Size


def measure(stand: Stand, size: Size, tell: Callable[[str], None]) -> Live:
    """Measure workers that run on."""
    tell("live: start")
    start = _start(stand)
    tell("live: idle")
    idle, connections, process = _idle(stand, size.idle)
    tell("live: many at once")
    return Live(
        start,
        idle.cpu,
        idle.commands,
        connections,
        process,
        _together(stand, declared.anap, size.coroutines, "--concurrency"),
        _together(stand, declared.nap, size.threads, "--threads"),
        size,
    )


def _start(stand: Stand) -> float:
    stand.empty()
    FlowClient(stand)
    job, began = declared.started.enqueue(), time.time()
    with _worker(stand):
        return job.result(PATIENCE) - began


@dataclass(frozen=True, slots=True)
class Idle:
    """Percent of a core, and commands a second."""

    cpu: float
    commands: float


def _idle(stand: Stand, seconds: float) -> tuple[Idle, int, float]:
    stand.empty()
    FlowClient(stand)
    with _worker(stand, "--processes", "2") as worker:
        declared.started.enqueue().result(PATIENCE)
        threading.Event().wait(min(seconds, 6.0))  # what a start brings is over
        family = [worker, *worker.children(recursive=True)]
        before, spent = stand.load().trips, _spent(family)
        threading.Event().wait(seconds)
        commands = stand.load().trips - before - 1  # our own look is one of them
        share = (_spent(family) - spent) / seconds * 100
        # Neither ours nor that of the store by which we enqueued.
        others = 2
        connections = len(stand.client.client_list()) - others
        own = [one.memory_full_info().uss for one in family[1:]]
    return Idle(share, commands / seconds), connections, sum(own) / len(own)


def _spent(family: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in family]
    return sum(one.user + one.system for one in times)


def _together(
    stand: Stand, task: Task[[float], Any, None], count: int, option: str
) -> float:
    stand.empty()
    FlowClient(stand)
    with _worker(stand, "--processes", "1", option, str(count)):
        task.enqueue(0).result(PATIENCE)  # it is up
        began = time.perf_counter()
        jobs = task.enqueue_many([(TOGETHER,)] * count)
        for job in jobs:
            job.result(PATIENCE)
        return time.perf_counter() - began


@contextlib.contextmanager
def _worker(stand: Stand, *options: str) -> Generator[psutil.Process]:
    command = FLOW.command(stand.url)[:-2]  # without its number of processes
    with cpu.started([*command, *options], stand.folder) as process:
        yield psutil.Process(process.pid)
    current.store().link.close()
