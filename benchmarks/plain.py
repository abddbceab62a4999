"""What the jobs call. It imports next to nothing.

RQ's default worker imports this module anew in the process that it forks for each job:
whatever stands here would be counted against it.
"""

from __future__ import annotations

import time


def number(one: int) -> int:
    """Do nothing, and have a result."""
    return one


def started() -> float:
    """Return when this job began, in unix seconds."""
    return time.time()
