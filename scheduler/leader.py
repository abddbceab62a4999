"""Leader: one clock of an app leads; the others wait to take over.

The lease is for efficiency only. That no tick fires twice is the work of tick.lua,
which moves a schedule's cursor in the same step as it enqueues the job. So a standby
takes over as soon as a tick is overdue and the leader is silent.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from flow.events import LeaderChanged
from flow.log import emit
from flow.scheduler.ahead import SOON as AHEAD
from flow.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.scheduler.record import Record
    from flow.store.timetable import Timetable

RENEW = 1.0  # seconds; the lease lasts three times that
OVERDUE = 0.080  # seconds a tick may be overdue while the leader is silent
SOON = 0.001  # seconds after the moment at which it may take over
REST = 1.0  # seconds that one who lost the lead waits, and up to as much again
LONGEST = 0.5  # seconds of patience at most
STOPPED = 1.0  # seconds; who is later than that was stopped, which tells nothing


class Leader(Service):
    """Holds the lease, or watches who does.

    Args:
        timetable: the app's schedules.
        clock: this clock's name.
        record: what the server's replies tell about it.
        gained: called when this clock begins to lead; a tick is overdue perhaps.
        monotonic: measures how late we are ourselves.
        chance: from 0 to 1, so that clocks do not herd.
    """

    interval = RENEW

    def __init__(
        self,
        timetable: Timetable,
        clock: str,
        record: Record,
        gained: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Lead nothing yet."""
        self._timetable = timetable
        self._clock = clock
        self._record = record
        self._gained = gained
        self._monotonic = monotonic
        self._chance = chance
        self._seen = ""
        self._rests_until = 0.0
        self._expected: float | None = None
        self._oversleep = 0.0
        self.token = ""
        # What comes, as of the last look: one that stands by plans by it.
        self.now, self.crowd = 0, 0

    def run_once(self) -> float:
        """Renew the lease or try to get it; a standby comes back when it may."""
        left = self._rests_until - self._monotonic()
        if left > 0 and not self.token:
            return left
        self._measure()
        self._record.ask()
        asked = self._record.about()
        lead = self._timetable.lead(
            self._clock, self.token, self.patience, AHEAD, asked
        )
        self._record.heard(lead.now, lead.serial)
        # Whoever leads: we may be the one who knows, should the server forget it.
        self._record.fired(lead.fired_until)
        if self.token and not lead.token:
            self.lost()
        if lead.token != self.token:
            self.token = lead.token
            self._gained()
        self.now, self.crowd = lead.now, lead.crowd
        self._say(lead.leader)
        wait = RENEW if lead.token else min(RENEW, max(0.0, lead.left) + SOON)
        self._expected = self._monotonic() + wait
        return wait

    @property
    def patience(self) -> float:
        """Seconds that a tick may be overdue: more where we are late ourselves.

        On a machine that is too busy to run us in time, the leader is late as well,
        and taking the lead from it would help nobody.
        """
        return min(LONGEST, OVERDUE + 3 * self._oversleep)

    def lost(self) -> None:
        """Note that another leads now, and rest before trying again."""
        self.token = ""
        self._rests_until = self._monotonic() + REST * (1 + self._chance())

    def resign(self) -> None:
        """Give way at once: this clock stops."""
        if self.token:
            self._timetable.resign(self.token)
            self.token = ""

    def _measure(self) -> None:
        if self._expected is None:
            return
        late = self._monotonic() - self._expected
        # The worst of late, which is forgotten within some turns.
        self._oversleep = max(late if late < STOPPED else 0.0, self._oversleep * 0.85)

    def _say(self, leader: str) -> None:
        if leader != self._seen:
            self._seen = leader
            emit(LeaderChanged(leader, mine=bool(self.token)))
