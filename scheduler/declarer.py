"""Declarer: the app's schedules are in Redis as this release declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.events import ReleaseOutdated, SchedulesDeclared
from flow.log import emit
from flow.schedules.entries import fingerprint
from flow.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.scheduler.record import Record
    from flow.store.entry import Entry
    from flow.store.roster import Roster
    from flow.store.timetable import Timetable


class Declarer(Service):
    """Declares once, and again when Redis has forgotten it.

    Args:
        timetable: knows the server's time.
        roster: the app's schedules.
        entries: makes what is declared, planned from a time in ms since 1970 on.
        release: the number of this release; a newer one's schedules are left alone.
        record: tells when Redis has lost data.
    """

    interval = 5.0

    def __init__(
        self,
        timetable: Timetable,
        roster: Roster,
        entries: Callable[[int], Sequence[Entry]],
        release: int,
        record: Record,
    ) -> None:
        """Declare nothing yet."""
        self._timetable = timetable
        self._roster = roster
        self._entries = entries
        self._release = release
        self._record = record
        self._told = False
        self.count = 0

    def run_once(self) -> None:
        """Declare if nothing stands, or an older set, or if what stood was lost."""
        release, standing = self._roster.standing()
        # Two clocks without release numbers must not overwrite each other in turn, so
        # what stands is left alone once we have declared.
        # An older release's stands where a clock ended before it had declared all.
        if not standing or release < self._release or self._record.lost_data:
            self.declare()
            self._record.lost_data = False

    def declare(self) -> None:
        """Declare now, unless a newer release has."""
        entries = self._entries(self._timetable.time())
        self.count = len(entries)
        done = self._roster.declare(entries, "declared", self._release)
        if done is None:
            self._give_way()
            return
        ids = [entry.id for entry in entries]
        removed = self._roster.seal(ids, self._release, fingerprint(entries))
        added, changed = done
        if added or changed or removed:
            emit(SchedulesDeclared(added, changed, removed))

    def _give_way(self) -> None:
        if not self._told:
            self._told = True
            standing, _ = self._roster.standing()
            emit(ReleaseOutdated(self._release, standing))
