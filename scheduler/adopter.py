"""Adopter: serves what rq-scheduler was told to enqueue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.events import AdoptionLeft, TickFired
from flow.log import emit
from flow.service import Service
from flow.store.rqscheduler import Move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.scheduler.leader import Leader
    from flow.scheduler.record import Record
    from flow.store.rqscheduler import Entries, Planned
    from flow.store.timetable import Timetable

BATCH = 100  # entries that a script call moves at most: some milliseconds


class Adopter(Service):
    """Turns entries of rq-scheduler that are due into jobs.

    Args:
        entries: rq-scheduler's.
        timetable: knows the server's time.
        leader: only the leader serves them, so that clocks do not crowd.
        record: tells whether the server's time can be believed.
    """

    interval = 1.0

    def __init__(
        self, entries: Entries, timetable: Timetable, leader: Leader, record: Record
    ) -> None:
        """Serve nothing yet."""
        self._entries = entries
        self._timetable = timetable
        self._leader = leader
        self._record = record
        self._left = False

    def run_once(self) -> float:
        """Serve what is due; return the seconds until the next, at most one."""
        if not self._leader.token or not self._record.believed:
            return self.interval
        first = self._entries.first()
        if first is None:
            return self.interval
        now = self._timetable.time() / 1000
        # The lock is kept while there are entries, also before the first is due.
        due = self._entries.until(f"{now:.17g}", BATCH)
        answers = self._entries.adopt([_move(entry, now) for entry in due])
        if due:
            self._tell(due, answers, now)
            return self.interval if answers is None else 0.0
        return min(self.interval, max(0.0, first - now))

    def _tell(
        self, due: Sequence[Planned], answers: Sequence[str] | None, now: float
    ) -> None:
        if answers is None:
            if not self._left:
                emit(AdoptionLeft())
            self._left = True
            return
        self._left = False
        for entry, answer in zip(due, answers, strict=True):
            if answer == "fired":
                emit(TickFired(entry.job, max(0.0, now - float(entry.score))))


def _move(entry: Planned, now: float) -> Move:
    # RQ takes a fifth of a second to load: only where there is something to read.
    from flow.scheduler import rq  # noqa: PLC0415

    meta = rq.meta_of(entry.meta)
    later = rq.following(meta, float(entry.score), now)
    counted = rq.packed(rq.counted(meta)) if meta.get("repeat") else b""
    return Move(entry, "" if later is None else f"{later:.17g}", counted)
