"""Record: what a clock has heard from the server, to notice what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.events import DataWentBack
from flow.log import emit

if TYPE_CHECKING:
    from flow.upkeep.steady import Steady


class Record:
    """The server's time and its count of tick calls, as last heard.

    Args:
        steady: tells whether the time can be believed.
    """

    def __init__(self, steady: Steady) -> None:
        """Know nothing yet."""
        self._steady = steady
        self._serial = 0
        self._fired_until = 0
        self.believed = True
        self.done_until = 0
        self.lost_data = False

    def ask(self) -> None:
        """Note that the server is about to be asked."""
        self._steady.ask()

    def heard(self, now: int, serial: int) -> None:
        """Take in a reply.

        Args:
            now: the server's time, ms since 1970.
            serial: how many calls of tick it knows of.
        """
        self.believed = self._steady.check(now)
        if serial < self._serial:
            emit(DataWentBack(self._serial - serial))
            self.lost_data = True
            self.done_until = self._fired_until
        self._serial = serial

    def earliest(self) -> int:
        """Return the ms since 1970 that the server's time is at least."""
        return self._steady.earliest()

    def about(self) -> int:
        """Return the ms since 1970 that the server's time is, about."""
        return self._steady.about()

    def fired(self, until: int) -> None:
        """Note that ticks up to then, ms since 1970, have become jobs."""
        self._fired_until = max(self._fired_until, until)
