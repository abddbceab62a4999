"""rq-scheduler's entries: jobs with the time of their next tick."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from flow import codec, keys
from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.store.entry import Entry
    from flow.store.link import Link

ENTRIES = "rq:scheduler:scheduled_jobs"
LOCK = "rq:scheduler_lock"
HELD = 15  # seconds that the lock is held without a word


@dataclass(frozen=True, slots=True)
class Planned:
    """An entry: the job, when it is due as Redis has it, and the job's packed meta."""

    job: str
    score: str
    meta: bytes | None


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of an entry: its next score and the meta then; empty for none."""

    entry: Planned
    following: str
    meta: bytes


class Entries:
    """The entries of rq-scheduler in one Redis.

    Args:
        link: the way to the server.
        now: the wall clock, unix seconds, for what people read.
    """

    def __init__(self, link: Link, now: Callable[[], float] = time.time) -> None:
        """Prepare; nothing is read yet."""
        self._link = link
        self._now = now

    def first(self) -> float | None:
        """Return when the first is due, in unix seconds; None when there is none."""
        found = self._link.command("ZRANGE", ENTRIES, 0, 0, "WITHSCORES")
        return float(_pairs(found)[0][1]) if found else None

    def until(self, until: float | str, limit: int) -> list[Planned]:
        """Return those that are due by then, in unix seconds, the first first."""
        found = self._link.command(
            *("ZRANGEBYSCORE", ENTRIES, "-inf", until),
            *("WITHSCORES", "LIMIT", 0, limit),
        )
        return [Planned(job, score, self._meta(job)) for job, score in _pairs(found)]

    def _meta(self, job: str) -> bytes | None:
        try:
            found: bytes | None = self._link.command("HGET", keys.job(job), "meta")
        except ResponseError:
            return None  # no job: adopt.lua takes the entry for one that is gone
        return found

    def adopt(self, moves: Sequence[Move]) -> list[str] | None:
        """Enqueue what is due; each once, however often the call is repeated.

        Returns:
            For each: fired, busy, gone, stale or early; None when another scheduler
            holds the lock.
        """
        arguments: list[Any] = [codec.iso(self._now()), HELD]
        for move in moves:
            arguments += [move.entry.job, move.entry.score, move.following, move.meta]
        answers = self._link.run(load("adopt"), [ENTRIES, LOCK], arguments)
        return [word.decode() for word in answers] or None

    def fields(self, job: str) -> dict[str, bytes]:
        """Return the hash of an entry's job."""
        flat = self._link.command("HGETALL", keys.job(job))
        return {name.decode(): value for name, value in flat.items()}

    def take_over(self, entry: Planned, app: str, made: Entry | None) -> bool:
        """Make an entry a schedule of the app, or a delayed job if there is none.

        Returns:
            False when it has changed meanwhile.
        """
        name = made.id if made else ""
        parts = ("next", f"schedule:{name}", f"job:{name}", "ids", "bell")
        arguments: list[Any] = [entry.job, entry.score, name]
        if made is not None:
            rule = made.rule
            values: list[Any] = ["revision", made.revision, "rule", rule.print]
            values += ["kind", rule.kind, "spec", rule.spec, "tz", rule.tz]
            values += ["dst", rule.dst, "policy", made.policy, "title", made.title]
            values += ["overlap", made.overlap]
            arguments += [made.wake, len(values), *values]
            arguments += [word for pair in made.job.items() for word in pair]
        places = [ENTRIES, *(keys.clock(app, part) for part in parts)]
        return bool(self._link.run(load("take_over"), places, arguments))


def _pairs(found: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - RESP2 is flat, RESP3 in pairs
    flat: list[Any] = []
    for item in found:
        flat += item if isinstance(item, list | tuple) else [item]
    return [
        (job.decode("utf-8", "replace"), _text(score))
        for job, score in zip(flat[::2], flat[1::2], strict=True)
    ]


def _text(score: Any) -> str:  # noqa: ANN401 - bytes or float
    if isinstance(score, bytes):
        return score.decode()
    return f"{score:.17g}"
