"""Three clocks on a machine that is far too busy, and thousands of ticks at once."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from flow.record import Invocation, JobRecord
from flow.registry import Policy
from flow.schedules.entries import entry
from flow.schedules.missed import count
from flow.store.entry import Rule
from flow.store.roster import Roster
from tests.scheduler.clocks import queued, store_of
from tests.scheduler.watching import (
    pause,
    report,
    server_time,
    three_clocks,
    whatever_happens,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    import redis

    from tests.scheduler.clocks import Clock, Site
    from tests.support.server import Server

HOG_SECONDS = float(os.environ.get("FLOW_CHAOS_HOGS", "300"))
HOGS = 30
MANY = int(os.environ.get("FLOW_CHAOS_SCHEDULES", "10000"))


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """Three clocks of an app with two schedules."""
    with three_clocks(tmp_path / "an app", server.url) as site:
        yield site


@contextlib.contextmanager
def hogs() -> Generator[None]:
    """Run thirty processes that never rest until the block ends."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(HOGS)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def share_an_instant(site: Site, now: int) -> int:
    """Schedule thousands at one full minute within the hogs' time; return that."""
    tick = now + round(HOG_SECONDS * 500)
    tick += 60_000 - tick % 60_000
    at = datetime.fromtimestamp(tick / 1000, UTC)
    rule = Rule("cron", f"{at.minute} {at.hour} * * *")
    entries = [
        entry(
            name,
            rule,
            Policy(),
            JobRecord(name, Invocation("beats.beat"), "midnight"),
            now,
        )
        for name in (f"midnight-{n}" for n in range(MANY))
    ]
    with store_of(site.url) as store:
        Roster(store.link, "beats", count).declare(entries, "dynamic")
    return tick


def test_a_machine_that_is_far_too_busy(site: Site, client: redis.Redis) -> None:
    epochs: Callable[[], bytes | None] = lambda: client.get("flow:clock:beats:epoch")  # type: ignore[assignment, return-value]  # noqa: E731 - one line, asked twice
    leader: Clock = site.wait_for_leader(client)
    tick = share_an_instant(site, server_time(client))
    before = int(epochs() or 0)
    with hogs():
        pause(HOG_SECONDS, HOG_SECONDS)
        wait_until(
            lambda: client.llen("rq:queue:midnight") >= MANY,
            timeout=300,
            waiting_for="all that share the instant",
        )
        changes = int(epochs() or 0) - before
        whatever_happens(site, client)
    report(f"{changes} changes of leader without a kill")
    expected = [f"midnight-{n}-{tick}" for n in range(MANY)]
    assert sorted(queued(client, "midnight")) == sorted(expected)
    report(f"{MANY} ticks of one instant, the last {last_of(site)} ms late")
    assert changes <= 1
    assert not leader.ended


def last_of(site: Site) -> int:
    """Return how many ms after the instant the last of those was queued."""
    return max(
        note.late or 0
        for note in site.ledger()
        if note.schedule.startswith("midnight-")
    )
