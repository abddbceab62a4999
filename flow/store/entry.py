"""What the timetable says: schedules, what is due, steps, and who leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flow import codec


@dataclass(frozen=True, slots=True)
class Rule:
    """When a schedule recurs.

    Args:
        kind: ``cron`` or ``every``.
        spec: the expression, or the seconds; ``60@17954000000`` counts from there, in
            ms since 1970.
        tz: the zone's name; empty for UTC.
        dst: what fixed times do where the clocks change.
    """

    kind: str
    spec: str
    tz: str = ""
    dst: str = "vixie"

    @property
    def print(self) -> str:
        """What tells it from any other rule."""
        return f"{self.kind}|{self.spec}|{self.tz}|{self.dst}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A schedule as it is stored.

    Args:
        id: letters, digits, ``_`` and ``-``.
        revision: changes with anything that changes what it enqueues, and when.
        rule: when it recurs.
        policy: its policy, as JSON.
        overlap: the part of the policy that the script applies.
        first: its next tick, ms since 1970, if it is new or recurs otherwise now.
        wake: when that is due, ms since 1970: later by its jitter.
        title: what people call it.
        job: the fields of the job that a tick enqueues.
    """

    id: str
    revision: str
    rule: Rule
    policy: str
    overlap: str
    first: int
    wake: int
    title: str
    job: Mapping[str, codec.Field]


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule as its ticks are planned.

    Args:
        id: its id.
        cursor: that tick, ms since 1970.
        revision: changes with all that it enqueues, and when.
        rule: when it recurs.
        policy: its policy, as JSON.
        wrong: why it cannot be read; empty when it can.
        at: when it is due, ms since 1970.
    """

    id: str
    cursor: str
    revision: str
    rule: Rule
    policy: str
    wrong: str = ""
    at: float = 0


@dataclass(frozen=True, slots=True)
class Behind:
    """A schedule with ticks that are due, and that a change of it would leave out.

    Args:
        id: its id.
        cursor: the first of them, ms since 1970.
        now: the server's time in ms.
        rule: by which they are due.
    """

    id: str
    cursor: int
    now: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class Counted:
    """Ticks in a row, in ms since 1970.

    Args:
        first: the first of them.
        count: how many.
        last: the last one.
        following: the tick after them; None when there is none.
    """

    first: int
    count: int
    last: int
    following: int | None


# Counts those of a schedule that is behind; more of them, perhaps, than a moment ago.
Count = Callable[[Behind, Counted | None], Counted]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one tick, or of several in a row; times in ms since 1970.

    Args:
        due: the schedule.
        cursor: where it stands before the step.
        what: ``fire``, ``skip``, or ``aside`` for one that cannot be read here.
        first: the first tick that it is about.
        last: the last one.
        count: how many.
        at: when it is due.
        following: the tick after them; None when there is none.
        wake: when that is due.
        reason: why they are skipped.
    """

    due: Due
    cursor: str
    what: str
    first: int
    last: int
    count: int
    at: int
    following: int | None
    wake: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads.

    Args:
        token: empty when it is another.
        leader: the clock that leads.
        left: seconds until a standby should look again.
        now: the server's time in ms.
        serial: how many calls of tick there were.
        fired_until: the last tick that fired, ms since 1970; 0 when none has.
        crowd: how many schedules come within the time that was asked for, to one
            that stands by.
    """

    token: str
    leader: str
    left: float
    now: int
    serial: int
    fired_until: int
    crowd: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is due.

    Args:
        now: the server's time in ms.
        serial: how many calls of tick there were.
        coming: when the next schedule comes that is not due yet; None when none does.
        crowd: how many come within the time that was asked for.
        gap: how many schedules come not at all; None when nobody can tell.
        due: those that are due.
    """

    now: int
    serial: int
    coming: float | None
    crowd: int
    gap: int | None
    due: Sequence[Due]


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a call of tick did.

    Args:
        now: the server's time in ms.
        serial: how many calls of tick there were.
        answers: one for each step.
        took: seconds of the server's processor; None where it does not tell.
    """

    now: int
    serial: int
    answers: Sequence[str]
    took: float | None
