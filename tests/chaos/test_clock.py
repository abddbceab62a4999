"""Clocks under faults, for minutes: no tick is missed, doubled or early."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from flow.record import Invocation, JobRecord
from flow.store.timetable import LEASE
from tests.scheduler.clocks import queued, store_of, ticks
from tests.scheduler.watching import (
    pause,
    report,
    server_time,
    summary,
    three_clocks,
    whatever_happens,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from tests.scheduler.clocks import Site
    from tests.support.server import Server

KILLS = int(os.environ.get("FLOW_CHAOS_KILLS", "200"))
STOPS = 30
STILL = 8
INSTANTS = 50


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """Three clocks of an app with two schedules."""
    with three_clocks(tmp_path / "an app", server.url) as site:
        yield site


def test_two_hundred_kills_of_the_leader(site: Site, client: redis.Redis) -> None:
    kills: list[tuple[int, bool]] = []
    for _ in range(KILLS):
        leader = site.wait_for_leader(client)
        kills.append((server_time(client), site.stands_by(leader)))
        leader.kill()
        site.start()
        pause(0.6, 1.8)
    whatever_happens(site, client)
    handed_over = late_after(site, kills)
    alone = sum(not stands_by for _, stands_by in kills)
    late = sorted(handed_over)
    report(
        f"{len(kills)} kills, {alone} of them while no other clock was up; the ticks "
        f"that came next after the others: {summary(late)}"
    )
    assert late[-1] <= LEASE + 500


def test_kills_at_the_very_instant_of_a_tick(site: Site, client: redis.Redis) -> None:
    for turn in range(INSTANTS):
        leader = site.wait_for_leader(client)
        wait_until(
            lambda leader=leader: site.stands_by(leader),  # type: ignore[misc]  # of the loop
            timeout=60,
            waiting_for="another clock",
        )
        # From 3 ms before it, as the leader wakes, to 7 ms after it, when it is done.
        left = (1000 - server_time(client) % 1000 + turn % 11 - 3) / 1000
        pause(left, left)
        leader.kill()
        site.start()
    whatever_happens(site, client)


def late_after(site: Site, kills: list[tuple[int, bool]]) -> list[int]:
    """Return how late the first tick after each kill was, in ms.

    Kills that found no other clock up are left out: none could take over before it
    had started, which takes as long as this machine needs for it.
    """
    fired = sorted(
        (note.tick, note.late) for note in site.ledger() if note.late is not None
    )
    found: list[int] = []
    for killed, stands_by in kills:
        coming = [late for tick, late in fired if tick + late >= killed]
        if stands_by and coming:
            found.append(coming[0])
    return found


def test_leaders_that_are_stopped_for_a_while(site: Site, client: redis.Redis) -> None:
    for turn in range(STOPS):
        leader = site.wait_for_leader(client)
        leader.send(signal.SIGSTOP)
        pause(0.1, 30 if turn % 10 == 9 else 3)
        leader.send(signal.SIGCONT)
    whatever_happens(site, client)


def test_a_server_that_stands_still_for_a_while(
    site: Site, server: Server, client: redis.Redis
) -> None:
    for _ in range(STILL):
        site.wait_for_leader(client)
        count = len(ticks(client))
        # After a tick, which renews the lease: it must outlast what follows.
        wait_until(lambda n=count: len(ticks(client)) > n, waiting_for="a tick")  # type: ignore[misc]  # of the loop
        server.signal(signal.SIGSTOP)
        pause(2, 2)
        server.signal(signal.SIGCONT)
    whatever_happens(site, client)
    raw: Any = client
    assert int(raw.get("flow:clock:beats:epoch")) <= 2, "the leaders were deposed"


def test_a_rolling_restart(site: Site, client: redis.Redis) -> None:
    for _ in range(20):
        leader = site.wait_for_leader(client)
        site.clock()
        assert leader.stop() == 0
    whatever_happens(site, client)
    late = [note.late for note in site.ledger() if note.late is not None]
    assert max(late) < 1000, "the leader gave nothing over, or not at once"


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
