"""What the jobs call. It imports next to nothing.

RQ's default worker imports this module anew in the process that it forks for each job:
whatever stands here would be counted against it.
"""

from __future__ import annotations

import asyncio
import time


def number(one: int) -> int:
    """Do nothing, and have a result."""
    return one


def started() -> float:
    """Return when this job began, in unix seconds."""
    return time.time()


def urgent() -> float:
    """Return the same, from another lane."""
    return time.time()


def nap(seconds: float) -> None:
    """Wait for so long."""
    time.sleep(seconds)  # noqa: TID251 - a job that waits is what is measured


async def anap(seconds: float) -> None:
    """Wait for so long, as a coroutine."""
    await asyncio.sleep(seconds)


def burn(seconds: float) -> None:
    """Keep a processor busy for so long."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
