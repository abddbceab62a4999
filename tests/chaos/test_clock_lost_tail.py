"""Redis is killed and comes back without the end of its log, again and again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.scheduler.clocks import Site, none_is_missing, ticks
from tests.scheduler.watching import report
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import redis

    from tests.support.server import Server

LOSSES = 10
BEAT = """\
from flow import every, task


@every(1, catch_up="all", on_data_loss="{policy}")
@task
def beat() -> None: ...
"""


def more(client: redis.Redis, count: int) -> None:
    """Wait for so many ticks beyond those that there are."""
    last = max(ticks(client), default=0)
    wait_until(
        lambda: sum(tick > last for tick in ticks(client)) >= count,
        timeout=60,
        waiting_for="ticks",
    )


def left_out(site: Site) -> list[int]:
    """Return the ticks that were left out because data was lost."""
    notes = [note for note in site.ledger() if note.reason == "data_loss"]
    spans = [range(note.tick, note.until + 1, 1000) for note in notes]
    return [tick for span in spans for tick in span]


@pytest.mark.parametrize("policy", ["again", "skip"])
def test_each_lost_tick_is_fired_again_or_left_out(
    server: Server, client: redis.Redis, tmp_path: Path, policy: str
) -> None:
    site = Site(tmp_path / "app", server.url, BEAT.format(policy=policy))
    try:
        clocks = site.clocks(2)
        for _ in range(LOSSES):
            more(client, 1)
            log = max(
                server.folder.glob("appendonlydir/*.incr.aof"), key=os.path.getmtime
            )
            known, kept = ticks(client), log.stat().st_size
            more(client, 3)
            assert set(ticks(client)) > set(known)  # what stands behind `kept`
            server.kill()
            os.truncate(log, kept)
            server.start()
        more(client, 3)
        fired, skipped = ticks(client), left_out(site)
        assert not any(clock.ended for clock in clocks)
        assert any(clock.said("Redis has forgotten") for clock in clocks)
    finally:
        site.end()
    none_is_missing(sorted(fired + skipped))
    assert bool(skipped) == (policy == "skip")
    report(f"{len(fired)} fired, {len(skipped)} left out after {LOSSES} losses")
