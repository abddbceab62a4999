"""Schedules and instants in the words of the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, cast

from flow.errors import InvalidSchedule
from flow.recurrence import Cron
from flow.schedules.rules import recurrence, to_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.store.entry import Rule


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows below their heading, aligned."""
    every = [head, *rows]
    widths = [max(len(row[at]) for row in every) for at in range(len(head))]
    lines = [
        "  ".join(f"{word:<{width}}" for word, width in zip(row, widths, strict=True))
        for row in every
    ]
    return "\n".join(line.rstrip() for line in lines)


def when(rule: Rule, schedule: str) -> str:
    """Return a rule in words; as it stands where this release cannot read it."""
    try:
        return recurrence(rule, schedule).describe()
    except InvalidSchedule as error:
        return f"{rule.kind} {rule.spec} ({error})"


def zone_of(rule: Rule, schedule: str) -> tzinfo:
    """Return the zone in which people read a schedule's ticks."""
    try:
        steps = recurrence(rule, schedule)
    except InvalidSchedule:
        return UTC
    return steps.tz if isinstance(steps, Cron) else UTC


def instant(ms: int | None, zone: tzinfo = UTC) -> str:
    """Return ms since 1970 as a person reads them; ``-`` for none."""
    if ms is None:
        return "-"
    try:
        return moment(to_moment(ms).astimezone(zone))
    except (ValueError, OverflowError):
        return f"{ms}, which is no instant"


def moment(at: datetime) -> str:
    """Return an instant with its zone's own short name."""
    return f"{at:%a %Y-%m-%d %H:%M:%S} {at.tzname()}"


def policy(text: str) -> str:
    """Return what of a policy is not the default, in words."""
    chosen = options(text)
    if chosen is None:
        return f"{text} ?"
    return ", ".join(f"{name} {value}" for name, value in chosen.items()) or "-"


def options(text: str) -> dict[str, Any] | None:
    """Return what of a policy is not the default; None where another spoilt it."""
    try:
        chosen: Any = json.loads(text or "{}")
    except ValueError:
        return None
    return cast("dict[str, Any]", chosen) if isinstance(chosen, dict) else None
