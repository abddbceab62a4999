"""Steady: notices when the clock of the server jumps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flow.events import ClockAccepted, ClockJumped
from flow.log import emit

if TYPE_CHECKING:
    from collections.abc import Callable

JUMP = 5.0  # seconds; less is the clock being set right
HOLD = 300.0  # seconds after which the new time is taken for the right one


def _uptime() -> float:
    """Return seconds that also pass while the machine sleeps, where there are such."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Steady:
    """Compares the server's time with our own, which nobody sets.

    Args:
        uptime: our own.
        hold: seconds for which a jump is not believed.
    """

    def __init__(
        self, uptime: Callable[[], float] = _uptime, hold: float = HOLD
    ) -> None:
        """Believe the first time that is seen."""
        self._uptime = uptime
        self._hold = hold
        self._offset: float | None = None
        self._least = 0.0
        self._asked = 0.0
        self._held_since: float | None = None
        self._jump = 0.0

    def ask(self) -> None:
        """Note that the server is about to be asked."""
        self._asked = self._uptime()

    def check(self, server: int) -> bool:
        """Return whether the time in a reply, ms since 1970, can be believed."""
        now, said = self._uptime(), server / 1000
        # The server looked at its clock at some moment between question and answer.
        low, high = said - now, said - self._asked
        self._least = low
        if self._offset is None:
            self._offset = low
        if low - JUMP <= self._offset <= high + JUMP:
            # No further than the reply proves: it may have been long under way.
            self._offset = min(max(self._offset, low), high)
            self._back()
            return True
        return self._doubt(low, now)

    def latest(self) -> int | None:
        """Return the ms since 1970 that it can be at most; None before any reply."""
        if self._offset is None:
            return None
        return int((self._offset + self._uptime() + JUMP) * 1000)

    def earliest(self) -> int:
        """Return the ms since 1970 that it is at least, as of the last reply."""
        return int((self._least + self._uptime()) * 1000)

    def about(self) -> int:
        """Return the ms since 1970 that it is, as all replies so far have it."""
        return int(((self._offset or 0.0) + self._uptime()) * 1000)

    def _doubt(self, offset: float, now: float) -> bool:
        jump = offset - (self._offset or 0.0)
        if self._held_since is None or abs(jump - self._jump) > JUMP:
            self._held_since, self._jump = now, jump
            emit(ClockJumped(jump, self._hold))
        if now - self._held_since < self._hold:
            return False
        self._offset, self._held_since = offset, None
        emit(ClockAccepted(jump))
        return True

    def _back(self) -> None:
        if self._held_since is not None:
            self._held_since = None
            emit(ClockAccepted(0.0))
