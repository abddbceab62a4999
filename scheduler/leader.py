"""Leader: one clock of an app leads; the others wait to take over.

The lease is for efficiency only. That no tick fires twice is the work of tick.lua,
which moves a schedule's cursor in the same step as it enqueues the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.events import LeaderChanged
from flow.log import emit
from flow.service import Service

if TYPE_CHECKING:
    from flow.store.timetable import Timetable

RENEW = 1.0  # seconds; the lease lasts three times that
SOON = 0.05  # seconds after a lease has run out


class Leader(Service):
    """Holds the lease, or watches who does.

    Args:
        timetable: the app's schedules.
        clock: this clock's name.
    """

    interval = RENEW

    def __init__(self, timetable: Timetable, clock: str) -> None:
        """Lead nothing yet."""
        self._timetable = timetable
        self._clock = clock
        self._seen = ""
        self.token = ""

    def run_once(self) -> float | None:
        """Renew the lease or try to get it; a standby comes back when it runs out."""
        lead = self._timetable.lead(self._clock, self.token)
        self.token = lead.token
        if lead.leader != self._seen:
            self._seen = lead.leader
            emit(LeaderChanged(lead.leader, mine=bool(lead.token)))
        return None if lead.token else min(RENEW, max(0.0, lead.left) + SOON)

    def resign(self) -> None:
        """Give way at once: this clock stops."""
        if self.token:
            self._timetable.resign(self.token)
            self.token = ""
