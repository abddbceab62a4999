"""What tests of clocks under faults have in common: the app, and what must hold."""

from __future__ import annotations

import contextlib
import random
import sys
import threading
from typing import TYPE_CHECKING, Any

from tests.scheduler.clocks import Site, none_is_missing, ticks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    import redis

SHOP = """\
from flow import cron, every, task


@every(1, catch_up="all")
@task
def beat() -> None: ...


@cron("*/2 * * * * *", tz="Europe/London", catch_up="all")
@task
def even() -> None: ...
"""


@contextlib.contextmanager
def three_clocks(folder: Path, url: str) -> Generator[Site]:
    """Run three clocks of an app with two schedules until the block ends."""
    site = Site(folder, url, SHOP)
    site.clocks(3)
    try:
        yield site
    finally:
        site.end()


def whatever_happens(site: Site, client: redis.Redis) -> None:
    """Fail unless both schedules have every tick once, and none early."""
    before = len(ticks(client))
    wait_until(
        lambda: len(ticks(client)) >= before + 3, timeout=60, waiting_for="more ticks"
    )
    none_is_missing(ticks(client))
    none_is_missing(ticks(client, "beats-even"), step=2000)
    late = sorted(note.late for note in site.ledger() if note.late is not None)
    assert late[0] >= 0
    report(f"{len(late)} ticks, late {summary(late)}")


def summary(late: list[int]) -> str:
    """Return what a ranked list of ms amounts to."""
    half, most = late[len(late) // 2], late[len(late) * 99 // 100]
    return f"p50 {half} p99 {most} max {late[-1]} ms"


def report(words: str) -> None:
    """Say it beside the test's name."""
    sys.stderr.write(f"\n  {words}\n")


def pause(low: float, high: float) -> None:
    """Let the clocks work between two faults; nothing is judged by it."""
    threading.Event().wait(random.uniform(low, high))  # noqa: S311 - no secret


def server_time(client: redis.Redis) -> int:
    """Return the server's time, in ms since 1970."""
    raw: Any = client
    seconds, microseconds = raw.time()
    return int(seconds) * 1000 + int(microseconds) // 1000
