"""The timetable of an app in Redis: its schedules, their next ticks, and who leads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flow import codec, keys
from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flow.store.link import Link

LEASE = 3000  # milliseconds a leader leads without a word
LEDGER = 10_000  # ticks that the ledger keeps, about
TOMBSTONE = 2_592_000  # seconds that a removed schedule's place is kept, 30 days


@dataclass(frozen=True, slots=True)
class Entry:
    """A schedule as it is stored.

    Args:
        id: letters, digits, ``_`` and ``-``.
        revision: changes with anything that changes what it enqueues, and when.
        kind: ``cron`` or ``every``.
        spec: the expression, or the seconds.
        tz: the zone's name; empty for UTC.
        first: its next tick, ms since 1970, if it is new or has changed.
        job: the fields of the job that a tick enqueues.
    """

    id: str
    revision: str
    kind: str
    spec: str
    tz: str
    first: int
    job: Mapping[str, codec.Field]


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule whose tick has come; ``cursor`` is that tick, ms since 1970."""

    id: str
    cursor: str
    revision: str
    kind: str
    spec: str
    tz: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick to fire, as ms since 1970.

    Args:
        due: the schedule, with the cursor that was seen.
        at: the tick.
        following: the next one.
        skipped: how many ticks before it are left out.
    """

    due: Due
    at: int
    following: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads: the token is empty when it is another; ``left`` in seconds."""

    token: str
    left: float
    leader: str


class Timetable:
    """The schedules of one app.

    Args:
        link: the way to the server.
        app: the app's name; two apps on one Redis never touch each other's.
        now: the wall clock, unix seconds.
    """

    def __init__(
        self, link: Link, app: str, now: Callable[[], float] = time.time
    ) -> None:
        """Prepare; nothing is read yet."""
        self._link = link
        self._app = app
        self._now = now

    def declare(self, entries: Sequence[Entry]) -> tuple[list[str], ...]:
        """Make these the app's declared schedules.

        Returns:
            The ids that were added, changed and removed.
        """
        arguments: list[Any] = [codec.iso(self._now()), TOMBSTONE]
        for entry in entries:
            values = _fields(entry)
            arguments += [entry.id, entry.revision, entry.first, len(values), *values]
        lists = self._link.run(
            load("declare"), self._keys("next", "schedule:"), arguments
        )
        return tuple([word.decode() for word in words] for words in lists)

    def due(self, limit: int) -> tuple[int, int | None, list[Due]]:
        """Return the server's time and the next tick to come, in ms, and what is due."""
        now, coming, rows = self._link.run(
            load("due"), self._keys("next", "schedule:"), [limit]
        )
        due = [Due(*((word or b"").decode() for word in row)) for row in rows]
        return now, int(coming) if coming else None, due

    def tick(self, token: str, ticks: Sequence[Tick]) -> tuple[int, list[str]]:
        """Fire ticks.

        Returns:
            The server's time in ms, and of each tick: fired, fenced, early or stale.
        """
        arguments: list[Any] = [token, LEASE, codec.iso(self._now()), LEDGER]
        for one in ticks:
            arguments += [one.due.id, one.due.revision, one.due.cursor]
            arguments += [one.at, one.following, one.skipped]
        now, answers = self._link.run(
            load("tick"),
            self._keys("leader", "next", "schedule:", "ledger"),
            arguments,
        )
        return now, [word.decode() for word in answers]

    def lead(self, clock: str, token: str) -> Lead:
        """Lead, or go on leading, if nobody else does."""
        mine, left, leader = self._link.run(
            load("lead"), self._keys("leader", "epoch"), [clock, LEASE, token]
        )
        return Lead(mine.decode(), left / 1000, leader.decode())

    def resign(self, token: str) -> None:
        """Give way to another clock at once."""
        self._link.run(load("resign"), self._keys("leader"), [token])

    def _keys(self, *parts: str) -> list[str]:
        return [keys.clock(self._app, part) for part in parts]


def _fields(entry: Entry) -> list[codec.Field]:
    values: list[codec.Field] = ["revision", entry.revision, "kind", entry.kind]
    values += ["spec", entry.spec, "tz", entry.tz]
    for name, value in entry.job.items():
        values += [f"job:{name}", value]
    return values
