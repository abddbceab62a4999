"""How long a failed job waits before it runs again; pure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BASE = 2.0  # seconds before the first retry
CAP = 3600.0  # seconds no retry waits longer than
SPREAD = 0.25  # the share of the delay that chance adds, so that retries do not herd


def exponential(attempt: int, chance: Callable[[], float] = random.random) -> float:
    """Return the seconds before retry number ``attempt`` (1 is the first).

    Doubles from 2 s to an hour, plus up to a quarter of it by chance.
    """
    delay = min(CAP, BASE * 2.0 ** min(attempt - 1, 30))
    return delay * (1 + SPREAD * chance())


def from_intervals(intervals: Sequence[float], retries_left: int) -> float:
    """Return the seconds before the next retry, by RQ's rule for ``Retry(interval=)``.

    The last interval serves all further retries (rq.job.Retry.get_interval).
    """
    if not intervals:
        return 0.0
    index = max(len(intervals) - retries_left, 0)
    return float(intervals[min(index, len(intervals) - 1)])
