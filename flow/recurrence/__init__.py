"""When a task recurs: cron expressions, fixed intervals and time zones.

Pure: the only clock is the argument. ``Cron`` lets croniter read an expression
and steps through it itself; docs/cron.md has the rules.
"""

from __future__ import annotations

from flow.recurrence.cron import Cron
from flow.recurrence.every import Every
from flow.recurrence.zones import read_again, tzdata_at_hand, tzdata_version, zone

__all__ = [
    "Cron",
    "Every",
    "read_again",
    "tzdata_at_hand",
    "tzdata_version",
    "zone",
]
