"""How long to go on asking for something that nobody announces."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 0.005  # seconds between two looks


class Patience:
    """A time limit that a sign of life can renew.

    Args:
        seconds: how long to wait from now, or from the last sign of life.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self, seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin to wait."""
        self.seconds = seconds
        self._clock = clock
        self._never = threading.Event()
        self.renew()

    def renew(self) -> None:
        """Wait as long again from now: something moves."""
        self._end = self._clock() + self.seconds

    def is_over(self) -> bool:
        """Return whether the time is up."""
        return self._clock() >= self._end

    def pause(self) -> None:
        """Let the others do something."""
        # A file lock and a socket that is not there yet have nothing to wait on.
        self._never.wait(PAUSE)
