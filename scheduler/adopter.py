"""Adopter: serves what rq-scheduler was told to enqueue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.events import AdoptionLeft, ScheduleUnreadable, TickFired
from flow.log import emit
from flow.service import Service
from flow.store.rqscheduler import Move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.scheduler.leader import Leader
    from flow.scheduler.record import Record
    from flow.store.rqscheduler import Entries, Planned
    from flow.store.timetable import Timetable

MOVED = frozenset(("fired", "busy", "gone"))
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
        self._unreadable: set[str] = set()

    def run_once(self) -> float:
        """Serve what is due; return the seconds until the next, at most one."""
        if not self._leader.token or not self._record.believed:
            return self.interval
        first = self._entries.first()
        if first is None:
            return self.interval
        now = self._timetable.time() / 1000
        # The lock is kept while there are entries, also before the first is due.
        moves = self._moves(self._entries.until(f"{now:.17g}", BATCH), now)
        answers = self._entries.adopt(moves)
        if moves:
            self._tell(moves, answers, now)
        if answers and not MOVED.isdisjoint(answers):
            return 0.0
        return self.interval if first <= now else min(self.interval, first - now)

    def _moves(self, due: Sequence[Planned], now: float) -> list[Move]:
        moves: list[Move] = []
        for entry in due:
            try:
                moves.append(_move(entry, now))
            except Exception as error:  # noqa: BLE001 - meta is a pickle of others
                if entry.job not in self._unreadable:
                    self._unreadable.add(entry.job)
                    emit(ScheduleUnreadable(entry.job, str(error)))
        return moves

    def _tell(
        self, moves: Sequence[Move], answers: Sequence[str] | None, now: float
    ) -> None:
        if answers is None:
            if not self._left:
                emit(AdoptionLeft())
            self._left = True
            return
        self._left = False
        for move, answer in zip(moves, answers, strict=True):
            if answer == "fired":
                late = max(0.0, now - float(move.entry.score))
                emit(TickFired(move.entry.job, late))


def _move(entry: Planned, now: float) -> Move:
    # RQ takes a fifth of a second to load: only where there is something to read.
    from flow.scheduler import rq  # noqa: PLC0415

    meta = rq.meta_of(entry.meta)
    later = rq.following(meta, float(entry.score), now)
    counted = rq.packed(rq.counted(meta)) if meta.get("repeat") else b""
    return Move(entry, "" if later is None else f"{later:.17g}", counted)
