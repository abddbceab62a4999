"""Clocks under faults, for minutes: no tick is missed, doubled or early."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from flow.record import Invocation, JobRecord
from flow.store.timetable import LEASE
from tests.scheduler.clocks import Site, none_is_missing, queued, store_of, ticks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis

    from tests.scheduler.clocks import Clock
    from tests.support.server import Server

KILLS = int(os.environ.get("FLOW_CHAOS_KILLS", "200"))
STOPS = 30
HOG_SECONDS = float(os.environ.get("FLOW_CHAOS_HOGS", "300"))
HOGS = 30
SHOP = """\
from flow import cron, every, task


@every(1, catch_up="all")
@task
def beat() -> None: ...


@cron("*/2 * * * * *", tz="Europe/London", catch_up="all")
@task
def even() -> None: ...
"""


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """Three clocks of an app with two schedules."""
    site = Site(tmp_path / "an app", server.url, SHOP)
    site.clocks(3)
    yield site
    site.end()


def whatever_happens(site: Site, client: redis.Redis) -> None:
    """Fail unless both schedules have every tick once, and none early."""
    before = len(ticks(client))
    wait_until(
        lambda: len(ticks(client)) >= before + 3, timeout=60, waiting_for="more ticks"
    )
    none_is_missing(ticks(client))
    none_is_missing(ticks(client, "beats-even"), step=2000)
    late = sorted(int(e["late"]) for e in site.ledger(client) if e.get("late"))
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


def test_two_hundred_kills_of_the_leader(site: Site, client: redis.Redis) -> None:
    kills: list[tuple[int, bool]] = []
    for _ in range(KILLS):
        leader = site.wait_for_leader(client)
        kills.append((server_time(client), site.stands_by(leader)))
        leader.kill()
        site.start()
        pause(0.6, 1.8)
    whatever_happens(site, client)
    handed_over = late_after(site, client, kills)
    alone = sum(not stands_by for _, stands_by in kills)
    late = sorted(handed_over)
    report(
        f"{len(kills)} kills, {alone} of them while no other clock was up; the ticks "
        f"that came next after the others: {summary(late)}"
    )
    assert late[-1] <= LEASE + 500


def late_after(
    site: Site, client: redis.Redis, kills: list[tuple[int, bool]]
) -> list[int]:
    """Return how late the first tick after each kill was, in ms.

    Kills that found no other clock up are left out: none could take over before it
    had started, which takes as long as this machine needs for it.
    """
    fired = sorted(
        (int(entry["tick"]), int(entry["late"]))
        for entry in site.ledger(client)
        if entry.get("late")
    )
    found: list[int] = []
    for killed, stands_by in kills:
        coming = [late for tick, late in fired if tick + late >= killed]
        if stands_by and coming:
            found.append(coming[0])
    return found


def server_time(client: redis.Redis) -> int:
    """Return the server's time, in ms since 1970."""
    raw: Any = client
    seconds, microseconds = raw.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def test_leaders_that_are_stopped_for_a_while(site: Site, client: redis.Redis) -> None:
    for turn in range(STOPS):
        leader = site.wait_for_leader(client)
        leader.send(signal.SIGSTOP)
        pause(0.1, 30 if turn % 10 == 9 else 3)
        leader.send(signal.SIGCONT)
    whatever_happens(site, client)


def test_a_rolling_restart(site: Site, client: redis.Redis) -> None:
    for _ in range(20):
        leader = site.wait_for_leader(client)
        site.clock()
        assert leader.stop() == 0
    whatever_happens(site, client)
    late = [int(e["late"]) for e in site.ledger(client) if e.get("late")]
    assert max(late) < 3000, "a lease ran out, so the leader gave nothing over"


def test_a_server_that_is_killed_again_and_again(
    site: Site, server: Server, client: redis.Redis
) -> None:
    clocks = [site.wait_for_leader(client)]
    for _ in range(12):
        pause(0.5, 2)
        server.kill()
        pause(0.1, 2)
        server.start()
        clocks.append(site.wait_for_leader(client))
    whatever_happens(site, client)
    assert not any(clock.ended for clock in clocks)


def test_all_clocks_down_at_once(site: Site, client: redis.Redis) -> None:
    wait_until(lambda: ticks(client), timeout=60, waiting_for="a tick")
    site.end()
    pause(20, 20)
    site.clocks(3)
    whatever_happens(site, client)


def test_twenty_thousand_overdue_jobs_move_once_each(
    site: Site, client: redis.Redis
) -> None:
    site.end()
    call, now = Invocation("beats.beat"), time.time()
    with store_of(site.url) as store:
        store.enqueue(
            [JobRecord(f"late-{n}", call, "bulk", due=now - n) for n in range(20_000)]
        )
    site.clocks(3)
    wait_until(
        lambda: client.llen("rq:queue:bulk") >= 20_000,
        timeout=120,
        waiting_for="all of them",
    )
    assert len(set(queued(client, "bulk"))) == len(queued(client, "bulk")) == 20_000


def test_edits_at_the_tick_never_fire_what_was_before(
    site: Site, client: redis.Redis
) -> None:
    edit = (
        "import sys; from flow import schedules; import beats; "
        "schedules.upsert('edited', beats.beat, every=1, tz='')"
    )
    command = [sys.executable, "-c", edit]
    environment = {**os.environ, "REDIS_URL": site.url}
    for _ in range(10):
        subprocess.run(command, cwd=site.folder, env=environment, check=True)
        assert site.run("pause", "edited").returncode == 0
        count = len(ticks(client, "edited"))
        pause(1.5, 2.5)
        assert len(ticks(client, "edited")) == count
        assert site.run("resume", "edited").returncode == 0
        pause(1.5, 2.5)
    found = ticks(client, "edited")
    assert len(found) == len(set(found))
    assert all(later > earlier for earlier, later in pairwise(found))


@pytest.fixture
def hogs() -> Iterator[None]:
    """Thirty processes that never rest."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(HOGS)]
    yield
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("hogs")
def test_a_machine_that_is_far_too_busy(site: Site, client: redis.Redis) -> None:
    epochs: Callable[[], bytes | None] = lambda: client.get("flow:clock:beats:epoch")  # type: ignore[assignment, return-value]  # noqa: E731 - one line, asked twice
    leader: Clock = site.wait_for_leader(client)
    before = int(epochs() or 0)
    pause(HOG_SECONDS, HOG_SECONDS)
    whatever_happens(site, client)
    changes = int(epochs() or 0) - before
    report(f"{changes} changes of leader without a kill")
    assert changes <= 1
    assert not leader.ended
