"""A script ran and its reply was lost: the call is repeated, and changes no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flow import schedules
from flow.config import Project
from flow.store import current
from flow.store.address import Address
from flow.store.client import Store
from tests.scheduler.turning import Turning
from tests.support.proxy import proxied
from tests.support.shop import tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.proxy import Proxy
    from tests.support.server import Server

MINUTE = 60_000


@pytest.fixture
def line(server: Server, tmp_path: Path) -> Iterator[tuple[Turning, Proxy]]:
    """A clock behind a proxy that can lose replies."""
    with proxied(server.socket, tmp_path / "p") as proxy:
        store = Store(Address(proxy.url, "the proxy"))
        before = current.project()
        current.use(store, Project(tmp_path, name="shop"))
        yield Turning(store), proxy
        current.use(None, before)
        store.link.close()


def test_each_tick_is_enqueued_once(line: tuple[Turning, Proxy]) -> None:
    clock, proxy = line
    clock.declare(catch_up="all")
    first = clock.rewind(20 * MINUTE)
    for turn in range(20):
        clock.at(first + turn * MINUTE)
        proxy.lose("tick")
        clock.turn()
    assert proxy.lost == 20
    # A minute may begin meanwhile, and its tick come by itself.
    assert clock.queued()[:20] == [f"beat-{first + n * MINUTE}" for n in range(20)]


def test_a_request_that_arrives_late_does_nothing(
    line: tuple[Turning, Proxy],
) -> None:
    clock, proxy = line
    clock.declare()
    late = clock.rewind(MINUTE)
    proxy.lose("tick")
    clock.turn()
    proxy.again()
    assert clock.queued().count(f"beat-{late}") == 1


def test_a_leader_whose_reply_was_lost_finds_that_it_leads(
    line: tuple[Turning, Proxy],
) -> None:
    clock, proxy = line
    clock.leader.run_once()
    token = clock.leader.token
    proxy.lose("lead")
    clock.leader.run_once()
    assert clock.leader.token == token
    proxy.lose("resign")
    clock.leader.resign()
    assert clock.timetable.leader() == ""


def test_the_verbs_do_their_work_once(line: tuple[Turning, Proxy]) -> None:
    clock, proxy = line
    proxy.lose("declare")
    schedules.upsert("beat", tasks.report, every=60)
    proxy.lose("pause")
    schedules.pause("beat")
    proxy.lose("resume")
    schedules.resume("beat")
    proxy.lose("skip_next")
    schedules.skip_next("beat", 2)
    proxy.lose("backfill")
    job = schedules.run_now("beat")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    proxy.lose("backfill")
    schedules.backfill("beat", start, start + timedelta(minutes=2))
    assert proxy.lost == 6
    found = schedules.find("beat")
    assert (found.paused, found.skip) == ("", 2)
    ticks = [f"beat-{int(start.timestamp()) * 1000 + n * MINUTE}" for n in range(2)]
    assert clock.queued() == [job.id, *ticks]
