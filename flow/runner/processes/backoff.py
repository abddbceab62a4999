"""How long to wait before a process that ended is started again; pure."""

from __future__ import annotations

FIRST = 1.0  # seconds before the second start in a row; the first is at once
CAP = 60.0  # seconds at most
STEADY = 60.0  # seconds up after which what went before is forgotten


def delay(failures: int, chance: float) -> float:
    """Return the seconds to wait before the next start.

    Args:
        failures: how often it has ended in a row, this time included.
        chance: from 0 to 1; spreads processes that failed together.
    """
    if failures <= 1:
        return 0.0
    longest = min(CAP, FIRST * 2.0 ** min(failures - 2, 30))
    return longest * (0.5 + chance / 2)
