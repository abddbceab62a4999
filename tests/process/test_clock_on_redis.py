"""The clock on a Redis of the system's, which is older than the embedded Valkey."""

from __future__ import annotations

import contextlib
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flow import schedules
from flow.config import Project
from flow.schedules.rules import to_moment
from flow.store import current
from tests.scheduler.clocks import Site, none_is_missing, queued, store_of, ticks
from tests.support.server import running
from tests.support.shop import tasks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.support.server import Server

REDIS = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(
    REDIS is None, reason="no redis-server here; make test installs it where it may"
)
MINUTES = timedelta(minutes=3)


@pytest.fixture
def server() -> Iterator[Server]:
    assert REDIS
    with running(Path(REDIS)) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[redis.Redis]:
    with server.client() as client:
        yield client


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """An app with a schedule of a second, which this process can edit too."""
    site = Site(tmp_path / "app", server.url)
    with store_of(server.url) as store, contextlib.ExitStack() as stack:
        stack.callback(current.use, None, current.project())
        current.use(store, Project(tmp_path, name="beats"))
        yield site
    site.end()


def test_a_clock_works_on_debians_redis(site: Site, client: redis.Redis) -> None:
    clock = site.clock()
    wait_until(lambda: len(ticks(client)) > 2, timeout=60, waiting_for="ticks")
    none_is_missing(ticks(client))
    assert clock.stop() == 0
    assert "failed" not in clock.words


def test_the_verbs_work_on_debians_redis(site: Site, client: redis.Redis) -> None:
    now = schedules.upsert("mail", tasks.echo, every=60, args=("x",)).cursor
    assert now
    assert schedules.pause("mail")
    assert schedules.resume("mail")
    schedules.skip_next("mail")
    start = to_moment(now) - 2 * MINUTES
    assert len(schedules.backfill("mail", start, start + MINUTES)) == 3
    assert schedules.run_now("mail").id in queued(client)
    site.clock().stop()  # declares, leads and resigns
    schedules.remove("mail")
    assert [one.id for one in schedules.all()] == ["beats-beat"]
