"""flow.scheduler: the clock: schedules, the leader among clocks, the ticks.

The folder stands at the top of the repository but is imported below flow:
docs/decisions/0001 says why.
"""

from __future__ import annotations

if __name__ != "flow.scheduler":
    raise ImportError(
        f"this folder is flow.scheduler; import it by that name (found as {__name__!r})"
    )

import importlib
from typing import TYPE_CHECKING, Any

from flow.recurrence import Cron

if TYPE_CHECKING:
    from flow.scheduler.rq import Scheduler

__all__ = ["Cron", "Scheduler"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name == "Scheduler":  # rq loads when somebody asks for it
        return importlib.import_module("flow.scheduler.rq").Scheduler
    raise AttributeError(f"module 'flow.scheduler' has no attribute {name!r}")
