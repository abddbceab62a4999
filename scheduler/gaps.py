"""Gaps: schedules that are not among those that come next are put back there.

Which schedules come next is a set of its own, so that one look finds what is due.
Somebody may delete it, or some of it; where each schedule stands is kept elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.events import SchedulesRestored
from flow.log import emit

if TYPE_CHECKING:
    from flow.store.timetable import Timetable

SLICE = 200  # schedules that one call looks at: a millisecond


class Gaps:
    """Looks through the schedules when there is a gap that was not looked into.

    Args:
        timetable: the app's schedules.
    """

    def __init__(self, timetable: Timetable) -> None:
        """Know of no gap."""
        self._timetable = timetable
        self._known: int | None = 0
        self._left: list[str] = []
        self._restored = 0

    def close(self, gap: int | None) -> bool:
        """Look at some schedules; return whether to do so again at once.

        Args:
            gap: how many schedules are not among those that come next: those that
                are paused, or over; and those that somebody removed there. None when
                another program spoilt the ids.

        Raises:
            SpoiltKey: it did, and that was not said yet.
        """
        if gap is None:
            return self._say()
        if not self._left and gap == self._known:
            return False
        part = self._left or self._timetable.ids()
        restored, self._known = self._timetable.restore(part[:SLICE])
        self._left, self._restored = part[SLICE:], self._restored + restored
        if self._left:
            return True
        if not self._restored:
            return False
        emit(SchedulesRestored(self._restored))
        self._restored = 0
        return True

    def _say(self) -> bool:
        known, self._known = self._known, None
        if known is not None:
            self._timetable.ids()  # which names the key
        return False

    def forget(self) -> None:
        """Know of no gap: another leads."""
        self._known, self._left, self._restored = 0, [], 0
