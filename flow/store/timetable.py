"""The timetable of an app in Redis: who leads its clocks, and what is due."""

from __future__ import annotations

import math
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flow import codec
from flow.store.appkeys import AppKeys, word, words
from flow.store.entry import Due, Lead, Rule, Ticked, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.store.entry import Step
    from flow.store.link import Link

LEASE = 3000  # milliseconds a leader leads without a word
LEDGER = 10_000  # ticks that the ledger keeps, about


class Timetable:
    """The schedules of one app.

    Args:
        link: the way to the server.
        app: the app's name; two apps on one Redis never touch each other's.
        now: the wall clock, unix seconds; only what people read is written by it.
    """

    def __init__(
        self, link: Link, app: str, now: Callable[[], float] = time.time
    ) -> None:
        """Prepare; nothing is read yet."""
        self._link = link
        self._keys = AppKeys(link, app)
        self._now = now

    def time(self) -> int:
        """Return the server's time in ms, the only one that decides."""
        seconds, microseconds = self._link.command("TIME")
        return int(seconds) * 1000 + int(microseconds) // 1000

    def planned_by(self) -> str:
        """Return the release of the time zone data that the next ticks are planned by.

        Empty when no clock has noted it.
        """
        return word(self._keys.command("HGET", "state", "zones") or b"")

    def note_zones(self, version: str) -> None:
        """Note by which release of the time zone data the next ticks are planned."""
        self._keys.command("HSET", "state", "zones", version)

    def replan(self, moves: Sequence[tuple[str, str, int, int, int]]) -> list[str]:
        """Have schedules go on elsewhere, unless they have moved meanwhile.

        Args:
            moves: of each its id, revision and cursor, the new cursor and when that
                is due, in ms since 1970.

        Returns:
            The ids of those that do.
        """
        flat = [word for move in moves for word in move]
        return words(self._keys.run("replan", ("next", "schedule:", "bell"), flat))

    def due(self, limit: int, soon: int = 0) -> Waiting:
        """Return what is due.

        Args:
            limit: schedules at most.
            soon: ms in which those that are still to come are counted.
        """
        now, serial, coming, crowd, gap, rows = self._keys.run(
            "due", ("next", "schedule:", "state", "ids"), [limit, soon]
        )
        due = [_due(row) for row in rows]
        first = float(coming) if coming else None
        return Waiting(now, serial, first, crowd, gap, due)

    def ids(self) -> list[str]:
        """Return the id of every schedule."""
        return words(self._keys.command("HKEYS", "ids"))

    def restore(self, ids: Sequence[str]) -> tuple[int, int]:
        """Put those back among what comes next that somebody removed there.

        Returns:
            How many there were; and how many of all schedules come not at all.
        """
        raw = [one.encode("utf-8", "surrogateescape") for one in ids]
        put_back, gap = self._keys.run("restore", ("next", "schedule:", "ids"), raw)
        return put_back, gap

    def coming(self, start: float, end: int, skip: int, limit: int) -> list[Due]:
        """Return schedules that are due later, in that order.

        Args:
            start: from when they are due, ms since 1970.
            end: until when.
            skip: how many of the first are passed over.
            limit: how many at most.
        """
        place = [f"{start:.17g}", end, skip, limit]
        rows = self._keys.run("coming", ("next", "schedule:"), place)
        return [_due(row) for row in rows]

    def tick(
        self,
        token: str,
        steps: Sequence[Step],
        silence: int = 0,
        valid_until: float = math.inf,
    ) -> Ticked:
        """Take steps; each is taken once, however often the call is repeated.

        Args:
            token: the leader's.
            steps: those of one schedule in their order.
            silence: ms for which the leader's silence means nothing.
            valid_until: ms since 1970 after which they are stale, by the server's time.

        Returns:
            For each step: fired, skipped, aside, overlap, skip_next, fenced, early,
            stale, or ``fault`` and what is wrong.
        """
        arguments: list[Any] = [token, LEASE, self._iso(), LEDGER, silence, valid_until]
        for step in steps:
            arguments += _arguments(step)
        names = ("leader", "next", "schedule:", "job:", "ledger", "state")
        now, serial, answers, took = self._keys.run("tick", names, arguments)
        seconds = None if took < 0 else took / 1_000_000
        return Ticked(now, serial, words(answers), seconds)

    def lead(
        self, clock: str, token: str, patience: float, soon: int = 0, asked: int = 0
    ) -> Lead:
        """Lead, or go on leading, unless another does.

        Args:
            clock: this clock's name.
            token: what it leads by; empty when it does not.
            patience: seconds that a tick may be overdue while the leader is silent.
            soon: ms in which schedules that are still to come are counted.
            asked: the ms since 1970 that the server's clock shows now, about; a silent
                leader is left alone when the question was long under way.
        """
        arguments = [clock, LEASE, token, round(patience * 1000), soon, asked]
        mine, leader, left, *heard = self._keys.run(
            "lead", ("leader", "epoch", "next", "state"), arguments
        )
        return Lead(mine.decode(), leader.decode(), left / 1000, *heard)

    def leader(self) -> str:
        """Return the clock that leads; empty when none does."""
        token = word(self._keys.command("GET", "leader") or b"")
        return token.partition(":")[2] or token

    def resign(self, token: str) -> None:
        """Give way to another clock at once."""
        self._keys.run("resign", ("leader", "bell"), [token])

    def _iso(self) -> str:
        return codec.iso(self._now())


def _due(row: list[bytes | None]) -> Due:
    schedule, score, *fields = [word(one or b"") for one in row]
    at = float(score)
    if len(fields) == 1:
        return Due(schedule, "", "", _rule("", "", "", ""), "", fields[0], at)
    cursor, revision, policy, *rule = fields
    return Due(schedule, cursor, revision, _rule(*rule), policy, at=at)


# Thousands of schedules may recur alike.
@lru_cache(1024)
def _rule(kind: str, spec: str, tz: str, dst: str) -> Rule:
    return Rule(kind, spec, tz, dst or "vixie")


def _arguments(step: Step) -> tuple[Any, ...]:
    following = "" if step.following is None else step.following
    named = (step.due.id, step.due.revision, step.cursor)
    place = (*(word.encode("utf-8", "surrogateescape") for word in named), step.what)
    about = (step.first, step.last, step.count, step.at)
    return *place, *about, following, step.wake, step.reason
