"""Roster: which schedules an app has: those it declares, and those made meanwhile.

The scripts know no rules. Where a change would leave out ticks that are due, they leave
the schedule alone and say where it stands; then its ticks are counted, and they are
asked again. So each is in the ledger before the rule goes by which it was due.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from flow import codec
from flow.errors import SpoiltKey
from flow.store.appkeys import AppKeys, word, words
from flow.store.entry import Behind, Counted, Rule
from flow.store.timetable import LEDGER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flow.store.entry import Count, Entry
    from flow.store.link import Link

TOMBSTONE = 2_592_000  # seconds that a removed schedule's place is kept, 30 days
CHUNK = 50  # schedules a script call writes at most: a millisecond or two
NAMES = ("next", "schedule:", "job:", "ids", "state", "bell", "ledger")
Tally = dict[str, Counted]


class Roster:
    """The schedules of one app, as they come and go.

    Args:
        link: the way to the server.
        app: the app's name; two apps on one Redis never touch each other's.
        count: counts the ticks that a schedule had due.
        now: the wall clock, unix seconds; only what people read is written by it.
    """

    def __init__(
        self,
        link: Link,
        app: str,
        count: Count,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is read yet."""
        self._keys = AppKeys(link, app)
        self._count = count
        self._now = now

    def declare(
        self, entries: Sequence[Entry], source: str = "declared", release: int = 0
    ) -> tuple[list[str], list[str]] | None:
        """Write schedules; those that are there as they are stay where they stand.

        Returns:
            The ids that were added and changed; None when a newer release stands.
        """
        added: list[str] = []
        changed: list[str] = []
        for start in range(0, len(entries), CHUNK):
            part, tally = entries[start : start + CHUNK], Tally()
            while part:
                newer, new, other, rows = self._declare(part, tally, source, release)
                if newer:
                    return None
                added += words(new)
                changed += words(other)
                tally = self._counted(rows, tally)
                part = [entry for entry in part if entry.id in tally]
        return added, changed

    def seal(self, ids: Sequence[str], release: int, print_: str) -> list[str]:
        """Remove declared schedules that are not among ``ids``; return those."""
        gone = sorted(self.declared() - set(ids))
        removed: list[str] = []
        for start in range(0, max(1, len(gone)), CHUNK):
            part, tally = gone[start : start + CHUNK], Tally()
            more = start + CHUNK < len(gone)
            while True:
                went, rows = self._seal(part, tally, release, "" if more else print_)
                removed += words(went)
                tally = self._counted(rows, tally)
                part = list(tally)
                if not part:
                    break
        return removed

    def remove(self, schedule: str) -> int:
        """Remove it; return 1, 0 for unknown, -1 when the app declares it.

        Raises:
            SpoiltKey: what it had due cannot be counted.
        """
        parts = ("next", "schedule:", "job:", "ids", "bell", "ledger")
        tally = Tally()
        while True:
            head = [schedule, self._iso(), TOMBSTONE, LEDGER]
            counted = _told(tally.get(schedule))
            done, *rows = self._keys.run("remove", parts, [*head, *counted])
            if not rows:
                return int(done)
            tally = self._counted(rows, tally)
            if not tally:
                raise SpoiltKey(
                    f"the ticks that schedule {schedule!r} had due cannot be counted; "
                    "pause it"
                )

    def declared(self) -> set[str]:
        """Return the ids of the schedules that some release declared."""
        flat = self._keys.command("HGETALL", "ids")
        pairs = cast("dict[bytes, bytes]", flat).items()
        return {one.decode() for one, source in pairs if source == b"declared"}

    def standing(self) -> tuple[int, str]:
        """Return the release whose declared set stands, and the set's hash."""
        release, print_ = self._keys.command("HMGET", "state", "release", "declared")
        return _number(release), word(print_ or b"")

    def _declare(
        self, entries: Sequence[Entry], tally: Tally, source: str, release: int
    ) -> Any:  # noqa: ANN401 - as the script answers
        arguments: list[Any] = [self._iso(), source, release, LEDGER]
        for entry in entries:
            arguments += _written(entry, tally.get(entry.id))
        return self._keys.run("declare", NAMES, arguments)

    def _seal(
        self, gone: Sequence[str], tally: Tally, release: int, print_: str
    ) -> Any:  # noqa: ANN401 - as the script answers
        arguments: list[Any] = [self._iso(), release, print_, TOMBSTONE, LEDGER]
        for schedule in gone:
            arguments += [schedule, *_told(tally.get(schedule))]
        return self._keys.run("seal", NAMES, arguments)

    def _counted(self, rows: Sequence[Any], before: Tally) -> Tally:
        found = [_behind(row) for row in rows]
        tally = {one.id: self._count(one, before.get(one.id)) for one in found}
        # What is counted as it was would be asked for ever: such a schedule stays.
        return {id_: now for id_, now in tally.items() if now != before.get(id_)}

    def _iso(self) -> str:
        return codec.iso(self._now())


def _behind(row: Sequence[Any]) -> Behind:
    schedule, cursor, now, *rule = row
    kind, spec, tz, dst = (word(one or b"") for one in rule)
    named = Rule(kind, spec, tz, dst or "vixie")
    return Behind(word(schedule), int(cursor), now, named)


def _told(counted: Counted | None) -> tuple[Any, ...]:
    if counted is None:
        return "", "", "", ""
    following = "" if counted.following is None else counted.following
    return counted.first, counted.count, counted.last, following


def _written(entry: Entry, counted: Counted | None) -> Iterator[Any]:
    rule = entry.rule
    values: list[codec.Field] = ["kind", rule.kind, "spec", rule.spec, "tz", rule.tz]
    values += ["dst", rule.dst, "policy", entry.policy, "overlap", entry.overlap]
    values += ["title", entry.title]
    job = [part for pair in entry.job.items() for part in pair]
    yield from (entry.id, entry.revision, rule.print, entry.first, entry.wake)
    yield from _told(counted)
    yield len(values)
    yield from values
    yield len(job)
    yield from job


def _number(raw: bytes | None) -> int:
    return int(raw) if raw and raw.isdigit() else 0
