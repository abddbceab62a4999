"""Missed: what a schedule had due when it is changed, resumed or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.errors import InvalidSchedule
from flow.schedules.rules import following, from_on, recurrence
from flow.store.entry import Counted

if TYPE_CHECKING:
    from flow.store.entry import Behind

UNREADABLE = (InvalidSchedule, ArithmeticError, ValueError)  # what others spoilt


def count(behind: Behind, before: Counted | None = None) -> Counted:
    """Return the ticks that a schedule had due, from where it stands until now.

    Args:
        behind: the schedule; where its rule cannot be read, its cursor is all there is.
        before: what was counted a moment ago, and need not be again.
    """
    found, last = 1, behind.cursor
    if before is not None and before.first == behind.cursor:
        found, last = before.count, before.last
    try:
        rule = recurrence(behind.rule, behind.id)
        for tick in from_on(rule, last + 1, behind.now):
            found, last = found + 1, tick
        return Counted(behind.cursor, found, last, following(rule, last))
    except UNREADABLE:
        return Counted(behind.cursor, found, last, None)
