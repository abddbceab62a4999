"""flow: tasks with decorators, processes in a Procfile, jobs in RQ's own format.

    from flow import cron, every, task

The names are loaded when they are first used, so that ``import flow.runner`` and
``flow --help`` pay for none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flow.errors import (
        Discard,
        FlowError,
        JobCancelled,
        JobFailed,
        JobStopped,
        NoServer,
        NoSuchJob,
        Retry,
        SoftTimeout,
    )
    from flow.job import Job
    from flow.queue import Queue
    from flow.running import CurrentJob, current_job
    from flow.tasks import Task, cron, every, task

_HOME = {
    "CurrentJob": "flow.running",
    "Discard": "flow.errors",
    "FlowError": "flow.errors",
    "Job": "flow.job",
    "JobCancelled": "flow.errors",
    "JobFailed": "flow.errors",
    "JobStopped": "flow.errors",
    "NoServer": "flow.errors",
    "NoSuchJob": "flow.errors",
    "Queue": "flow.queue",
    "Retry": "flow.errors",
    "SoftTimeout": "flow.errors",
    "Task": "flow.tasks",
    "cron": "flow.tasks",
    "current_job": "flow.running",
    "every": "flow.tasks",
    "task": "flow.tasks",
}

__all__ = [
    "CurrentJob",
    "Discard",
    "FlowError",
    "Job",
    "JobCancelled",
    "JobFailed",
    "JobStopped",
    "NoServer",
    "NoSuchJob",
    "Queue",
    "Retry",
    "SoftTimeout",
    "Task",
    "cron",
    "current_job",
    "every",
    "task",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name == "schedules":
        return importlib.import_module("flow.schedules")
    if name not in _HOME:
        raise AttributeError(f"module 'flow' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
