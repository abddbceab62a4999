"""Pace: how many steps a script call may take before others are served."""

from __future__ import annotations

from collections import deque

BUDGET = 0.002  # seconds of the server that a call may take
LEAST = 20  # steps; below that, round trips would cost more than steps
MOST = 100  # steps, however quick the server is
RECENT = 3  # calls that are remembered


class Pace:
    """Measures calls, so that one takes the server two milliseconds at most.

    Args:
        budget: seconds of the server that a call may take.
    """

    def __init__(self, budget: float = BUDGET) -> None:
        """Begin with small calls, until one was measured."""
        self._budget = budget
        self._recent: deque[float] = deque(maxlen=RECENT)
        self.steps = LEAST

    def took(self, steps: int, seconds: float) -> None:
        """Note what a call took.

        Args:
            steps: how many it had.
            seconds: of the server's processor, as it says itself.
        """
        if steps < LEAST:
            return  # tells more about the call than about a step
        self._recent.append(seconds / steps)
        # The quickest of late: the others were held up by something else.
        step = min(self._recent)
        fitting = int(self._budget / step) if step else MOST
        # At most twice as many at once: one lucky measure is not believed far.
        self.steps = max(LEAST, min(MOST, fitting, 2 * self.steps))
