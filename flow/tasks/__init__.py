"""@task, @cron and @every: declare what jobs can call, and enqueue it.

A task stays callable as the function it decorates; ``enqueue`` takes the same
arguments and is typed like it.
"""

from __future__ import annotations

from flow.tasks.calls import Call, Task
from flow.tasks.declaring import task
from flow.tasks.options import CallOptions, CronOptions, TaskOptions
from flow.tasks.recurring import checked_policy, cron, every

__all__ = [
    "Call",
    "CallOptions",
    "CronOptions",
    "Task",
    "TaskOptions",
    "checked_policy",
    "cron",
    "every",
    "task",
]
