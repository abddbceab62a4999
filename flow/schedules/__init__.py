"""Schedules that are made and changed while the app runs.

    from flow import schedules

    schedules.upsert("invoice-42", send_invoice, cron="0 7 1 * *", args=(42,))
    schedules.pause("invoice-42")

Each takes effect at once, in every clock: when a function has returned, no clock acts
on what was before. The names are those that ``flow clock list`` shows; what ``@cron``
and ``@every`` declare can be paused and run too. docs/clock.md has it all.
"""

from __future__ import annotations

from flow.schedules.verbs import (
    all as all,  # noqa: A004 - schedules.all() reads best
)
from flow.schedules.verbs import (
    backfill,
    find,
    pause,
    remove,
    resume,
    run_now,
    skip_next,
    upsert,
)

__all__ = [
    "all",
    "backfill",
    "find",
    "pause",
    "remove",
    "resume",
    "run_now",
    "skip_next",
    "upsert",
]
