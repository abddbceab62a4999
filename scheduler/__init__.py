"""flow.scheduler: the clock: schedules, the leader among clocks, the ticks.

The folder stands at the top of the repository but is imported below flow:
docs/decisions/0001 says why.
"""

from __future__ import annotations

if __name__ != "flow.scheduler":
    raise ImportError(
        f"this folder is flow.scheduler; import it by that name (found as {__name__!r})"
    )

from flow.recurrence import Cron

__all__ = ["Cron"]
