"""Edits, pauses and removals while the tick is due: what was before never fires."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from flow import schedules
from flow.config import Project
from flow.store import current
from tests.scheduler.clocks import Site, store_of, ticks
from tests.scheduler.watching import pause, report, server_time
from tests.support.shop import tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from tests.support.server import Server

EDITS = 60


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """Three clocks, whose schedules this process edits."""
    site = Site(tmp_path / "app", server.url, "")
    with store_of(server.url) as store, contextlib.ExitStack() as stack:
        stack.callback(current.use, None, current.project())
        current.use(store, Project(tmp_path, name="beats"))
        site.clocks(3)
        yield site
        site.end()


def wait_for_the_tick(client: redis.Redis, turn: int) -> None:
    """Return some ms before or after the next full second."""
    left = (1000 - server_time(client) % 1000 + turn % 13 - 6) / 1000
    pause(left, left)


def test_after_an_edit_only_the_new_call_fires(site: Site, client: redis.Redis) -> None:
    known: list[tuple[int, str]] = []  # since when which call is to be
    for turn in range(EDITS):
        wait_for_the_tick(client, turn)
        schedules.upsert("edited", tasks.resize, every=1, args=(f"{turn}.png",))
        known.append((server_time(client), f"{turn}.png"))
    pause(2, 2)
    raw: Any = client
    fired = [note for note in site.ledger() if note.outcome == "fired"]
    for note in fired:
        # The next edit may stand already, before its caller has heard of it.
        before = [word for since, word in known if since <= note.at][-1:]
        after = [word for since, word in known if since > note.at][:1]
        said = raw.hget(f"rq:job:{note.job}", "description").decode()
        assert any(word in said for word in before + after), (said, before)
    found = ticks(client, "edited")
    assert len(found) == len(set(found))
    report(f"{EDITS} edits at the tick, {len(fired)} ticks")


@pytest.mark.usefixtures("site")
def test_after_a_pause_or_a_removal_nothing_fires(client: redis.Redis) -> None:
    stops = (schedules.pause, schedules.remove)
    for turn in range(EDITS // 2):
        schedules.upsert("edited", tasks.report, every=1)
        schedules.resume("edited")
        pause(1.1, 1.1)
        wait_for_the_tick(client, turn)
        stops[turn % 2]("edited")
        count = len(ticks(client, "edited"))
        pause(1.1, 1.1)
        assert len(ticks(client, "edited")) == count
    found = ticks(client, "edited")
    assert len(found) == len(set(found)) >= EDITS // 2
    assert found == sorted(found)
