"""Single settings of a worker, each with who gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.config.machine import cpus
from flow.config.project import START_METHODS
from flow.config.values import choice, memory, positive, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flow.config.project import Project


@dataclass(frozen=True, slots=True)
class Given:
    """A setting and who gave it."""

    value: float
    by: str


def processes(option: int | None, told: Mapping[str, str]) -> Given:
    """Return how many processes a worker has.

    ``--processes``, else FLOW_PROCESSES, else WEB_CONCURRENCY, else the CPUs that
    this container may use, at most 4.
    """
    if option is not None:
        return Given(option, "--processes")
    for name in ("FLOW_PROCESSES", "WEB_CONCURRENCY"):
        if told.get(name):
            return Given(whole(told[name], name), name)
    return Given(min(4, cpus()), "the CPUs here, at most 4")


def grace(option: float | None, told: Mapping[str, str]) -> Given:
    """Return the seconds a job may go on: ``--grace``, else FLOW_GRACE, else 25."""
    if option is not None:
        return Given(option, "--grace")
    if told.get("FLOW_GRACE"):
        return Given(positive(told["FLOW_GRACE"], "FLOW_GRACE"), "FLOW_GRACE")
    return Given(25.0, "the default")


def max_jobs(option: int | None, told: Mapping[str, str], project: Project) -> Given:
    """Return after how many jobs a process is replaced; 0 is never.

    ``--max-jobs``, else FLOW_MAX_JOBS, else [tool.flow] max_jobs.
    """
    if option is not None:
        return Given(option, "--max-jobs")
    if told.get("FLOW_MAX_JOBS"):
        value = whole(told["FLOW_MAX_JOBS"], "FLOW_MAX_JOBS", least=0)
        return Given(value, "FLOW_MAX_JOBS")
    return Given(project.max_jobs, "[tool.flow] max_jobs")


def max_memory(option: str | None, told: Mapping[str, str], project: Project) -> Given:
    """Return beyond how many bytes a process is replaced; 0 is never.

    ``--max-memory``, else FLOW_MAX_MEMORY, else [tool.flow] max_memory.
    """
    if option is not None:
        return Given(memory(option, "--max-memory"), "--max-memory")
    if told.get("FLOW_MAX_MEMORY"):
        value = memory(told["FLOW_MAX_MEMORY"], "FLOW_MAX_MEMORY")
        return Given(value, "FLOW_MAX_MEMORY")
    return Given(project.max_memory, "[tool.flow] max_memory")


def start_method(option: str | None, told: Mapping[str, str], project: Project) -> str:
    """Return how a worker starts its processes: ``fork``, ``spawn`` or ``auto``.

    ``--start-method``, else FLOW_START_METHOD, else [tool.flow] start_method.
    """
    if option is None and told.get("FLOW_START_METHOD"):
        return choice(told["FLOW_START_METHOD"], "FLOW_START_METHOD", START_METHODS)
    return project.start_method if option is None else option


def kill_after(option: float | None, told: Mapping[str, str]) -> float:
    """Return the seconds until what was to end is killed.

    ``--kill-after``, else FLOW_KILL_AFTER, else 5.
    """
    if option is None and told.get("FLOW_KILL_AFTER"):
        return positive(told["FLOW_KILL_AFTER"], "FLOW_KILL_AFTER")
    return 5.0 if option is None else option
