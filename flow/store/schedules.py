"""The schedules of an app as people handle them: look, pause, skip, run, remove."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flow import codec
from flow.errors import SpoiltKey
from flow.store.appkeys import AppKeys
from flow.store.entry import Rule
from flow.store.timetable import LEDGER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flow.store.entry import Counted
    from flow.store.link import Link

CHUNK = 100  # jobs a backfill writes in one call


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A schedule as it stands; times in ms since 1970.

    Args:
        id: its id.
        title: what people call it.
        source: ``declared`` in the app, or ``dynamic``: made by upsert.
        revision: changes with all that it enqueues, and when.
        rule: when it recurs.
        policy: its policy, as JSON.
        cursor: its next tick, None when there is none.
        paused: since when, ISO; empty when it is not.
        skip: how many of the next ticks are left out.
        last: its last tick that enqueued a job, None when there was none.
        late: how many ms that was late.
        job: the last job's id.
    """

    id: str
    title: str
    source: str
    revision: str
    rule: Rule
    policy: str
    cursor: int | None
    paused: str
    skip: int
    last: int | None
    late: int | None
    job: str


@dataclass(frozen=True, slots=True)
class Note:
    """An entry of the ledger: what became of a tick, or of several in a row."""

    at: int
    schedule: str
    tick: int
    until: int
    count: int
    outcome: str
    reason: str
    job: str
    late: int | None


class Schedules:
    """The schedules of one app.

    Args:
        link: the way to the server.
        app: the app's name.
        now: the wall clock, unix seconds, for what people read.
    """

    def __init__(
        self, link: Link, app: str, now: Callable[[], float] = time.time
    ) -> None:
        """Prepare; nothing is read yet."""
        self._keys = AppKeys(link, app)
        self._now = now

    def all(self) -> list[Scheduled]:
        """Return every schedule, by id."""
        return [one for one in self.each() if isinstance(one, Scheduled)]

    def each(self, ids: Sequence[str] | None = None) -> Iterator[Scheduled | SpoiltKey]:
        """Yield schedules, by default all by id; or why one cannot be read."""
        for schedule in self.ids() if ids is None else ids:
            try:
                found = self.find(schedule)
            except SpoiltKey as error:
                yield error
            else:
                if found is not None:
                    yield found

    def ids(self) -> list[str]:
        """Return the id of every schedule, in their order."""
        ids = cast("list[bytes]", self._keys.command("HKEYS", "ids"))
        return sorted(one.decode("utf-8", "replace") for one in ids)

    def find(self, schedule: str) -> Scheduled | None:
        """Return a schedule, or None.

        Raises:
            SpoiltKey: another program wrote what stands there.
        """
        flat = self._keys.command("HGETALL", f"schedule:{schedule}")
        fields = _decoded(flat)
        if "revision" not in fields or "removed" in fields:
            return None
        try:
            return _scheduled(schedule, fields)
        except ValueError as error:
            raise SpoiltKey(f"schedule {schedule} cannot be read: {error}") from None

    def pause(self, schedule: str) -> int:
        """Have it enqueue nothing; return 1, 0 when it was paused, -1 for unknown."""
        parts = ("next", f"schedule:{schedule}", "bell")
        return int(self._keys.run("pause", parts, [schedule, self._iso()]))

    def resume(
        self,
        one: Scheduled,
        following: int,
        wake: int,
        left_out: Counted | None,
    ) -> int:
        """Have a paused schedule go on at ``following``, as of what was seen.

        Args:
            one: what was seen.
            following: the next tick.
            wake: when that is due: later by its jitter.
            left_out: the ticks that are; None when none is due.

        Returns:
            1; 0 when it was not paused; -1 when it has changed meanwhile.
        """
        cursor = "" if one.cursor is None else one.cursor
        count, last = (left_out.count, left_out.last) if left_out else (0, 0)
        arguments = [one.id, cursor, following, wake, count, last, LEDGER]
        parts = ("next", f"schedule:{one.id}", "bell", "ledger")
        return int(self._keys.run("resume", parts, arguments))

    def skip_next(self, schedule: str, count: int) -> int:
        """Leave out its next ticks; return 1, or -1 for unknown."""
        return int(self._keys.run("skip_next", [f"schedule:{schedule}"], [count]))

    def backfill(
        self, schedule: str, jobs: Mapping[str, int], outcome: str
    ) -> list[str] | None:
        """Enqueue its job under these ids, for these ticks.

        Returns:
            The ids enqueued now; None when there is no such schedule.
        """
        parts = (f"schedule:{schedule}", f"job:{schedule}", "ledger")
        head = [schedule, self._iso(), LEDGER, outcome]
        listed, made = list(jobs.items()), list[str]()
        for start in range(0, len(listed), CHUNK):
            words = [word for pair in listed[start : start + CHUNK] for word in pair]
            answer = self._keys.run("backfill", parts, [*head, *words])
            if isinstance(answer, int):
                return None
            made += [one.decode() for one in answer]
        return made

    def history(self, schedule: str | None, count: int) -> list[Note]:
        """Return the latest entries of the ledger, the latest first."""
        notes: list[Note] = []
        for entry in self._entries():
            if schedule is None or entry.schedule == schedule:
                notes.append(entry)
            if len(notes) == count:
                break
        return notes

    def _entries(self) -> Iterator[Note]:
        end = "+"
        while True:
            entries: Any = self._keys.command(
                "XREVRANGE", "ledger", end, "-", "COUNT", 500
            )
            if not entries:
                return
            for entry_id, fields in entries:
                # What another program wrote there is none of ours.
                with contextlib.suppress(KeyError, ValueError):
                    yield _note(entry_id, _decoded(fields))
            end = f"({entries[-1][0].decode()}"

    def _iso(self) -> str:
        return codec.iso(self._now())


def _scheduled(schedule: str, fields: Mapping[str, str]) -> Scheduled:
    def number(name: str) -> int | None:
        text = fields.get(name)
        if not text:
            return None
        # Scripts compare texts: what is a number by its value alone would never match.
        if str(int(text)) != text:
            raise ValueError(f"{text!r} as its {name}")
        return int(text)

    return Scheduled(
        id=schedule,
        title=fields.get("title", schedule),
        source=fields.get("source", ""),
        revision=fields["revision"],
        rule=Rule(*(fields.get(name, "") for name in ("kind", "spec", "tz", "dst"))),
        policy=fields.get("policy", "{}"),
        cursor=number("cursor"),
        paused=fields.get("paused", ""),
        skip=number("skip") or 0,
        last=number("last_tick"),
        late=number("late"),
        job=fields.get("last", ""),
    )


def _decoded(raw: Mapping[bytes, bytes]) -> dict[str, str]:
    pairs = raw.items()
    return {
        k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in pairs
    }


def _note(entry_id: bytes, fields: Mapping[str, str]) -> Note:
    tick = int(fields["tick"])
    return Note(
        at=int(entry_id.partition(b"-")[0]),
        schedule=fields["schedule"],
        tick=tick,
        until=int(fields.get("until", tick)),
        count=int(fields.get("count", 1)),
        outcome=fields["outcome"],
        reason=fields.get("reason", ""),
        job=fields.get("job", ""),
        late=int(fields["late"]) if fields.get("late") else None,
    )
