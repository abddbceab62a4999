"""All that a worker is told, in one piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flow.config.given import (
    Given,
    grace,
    kill_after,
    max_jobs,
    max_memory,
    processes,
    start_method,
)
from flow.config.project import environment
from flow.config.values import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flow.config.project import Project


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker is told.

    Args:
        queues: what it serves, the first first.
        role: ``worker``, or ``urgentworker`` when it serves the urgent lane alone.
        strict: run declared tasks only.
        on_crash: for tasks that do not say it themselves.
        processes: how many processes take jobs.
        threads: plain tasks at a time in each process.
        concurrency: ``async def`` tasks at a time in each process.
        grace: seconds a job may go on after the worker was told to stop.
        kill_after: seconds a job may go on after its timeout or a stop, until its
            process is killed.
        burst: end when the queues are empty.
        max_jobs: jobs after which a process is replaced; 0: never.
        once: a process that has had its jobs is not replaced, and the worker ends.
        max_memory: bytes of a process beyond which it is; 0: never.
        start_method: how a process is started: ``fork``, ``spawn``, or ``auto``.
        reasons: where the values came from, in words, for the start line.
    """

    queues: tuple[str, ...]
    role: str = "worker"
    strict: bool = False
    on_crash: str = "retry"
    processes: int = 1
    threads: int = 1
    concurrency: int = 100
    grace: float = 25.0
    kill_after: float = 5.0
    burst: bool = False
    max_jobs: int = 0
    once: bool = False
    max_memory: int = 0
    start_method: str = "auto"
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])


def worker(
    project: Project, queues: tuple[str, ...], given: Mapping[str, Any]
) -> WorkerConfig:
    """Return a worker's settings.

    Args:
        project: the app's folder and its [tool.flow].
        queues: what it serves.
        given: the command line's ``processes``, ``threads``, ``concurrency``,
            ``grace`` and ``burst``; and, where they are given, ``kill_after``,
            ``max_jobs``, ``max_memory`` and ``start_method``.

    Raises:
        ConfigError: the environment holds a value that cannot be.
    """
    told = environment(project)
    of_processes = processes(given["processes"], told)
    of_grace = grace(given["grace"], told)
    of_jobs = max_jobs(given.get("max_jobs"), told, project)
    of_memory = max_memory(given.get("max_memory"), told, project)
    slots = f"{given['threads']} plain and {given['concurrency']} async"
    return WorkerConfig(
        queues=queues,
        role="urgentworker" if queues == (project.urgent,) else "worker",
        strict=project.strict,
        on_crash=project.on_crash,
        processes=int(of_processes.value),
        threads=int(given["threads"]),
        concurrency=int(given["concurrency"]),
        grace=of_grace.value,
        kill_after=kill_after(given.get("kill_after"), told),
        burst=bool(given["burst"]),
        max_jobs=int(of_jobs.value),
        max_memory=int(of_memory.value),
        start_method=start_method(given.get("start_method"), told, project),
        reasons={
            "processes": f"processes: {of_processes.value:g} ({of_processes.by})",
            "slots": f"each {slots} at a time",
            "grace": f"grace {of_grace.value:g} s ({of_grace.by})",
            **_recycling(of_jobs, of_memory),
        },
    )


def _recycling(jobs: Given, size: Given) -> dict[str, str]:
    said: dict[str, str] = {}
    if jobs.value:
        said["max_jobs"] = f"replaced after {jobs.value:g} jobs ({jobs.by})"
    if size.value:
        mb = size.value / UNITS["M"]
        said["max_memory"] = f"replaced beyond {mb:.6g} MB ({size.by})"
    return said
