"""An old release's clock and a new one's are restarted in turn, a hundred times."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.scheduler.clocks import Site, none_is_missing, ticks

if TYPE_CHECKING:
    from pathlib import Path

    import redis

    from tests.support.server import Server

RESTARTS = int(os.environ.get("FLOW_CHAOS_RESTARTS", "100"))
OLD = """\
from flow import every, task


@every(1, catch_up="all")
@every(3600, name="old")
@task
def beat() -> None: ...
"""
NEW = OLD.replace('3600, name="old"', '7200, name="new"')
KEPT = {"beats-beat", "beats-beat-new"}


def test_restarted_in_turn_the_newer_release_stands(
    server: Server, client: redis.Redis, tmp_path: Path
) -> None:
    old = Site(tmp_path / "old", server.url, OLD)
    new = Site(tmp_path / "new", server.url, NEW)
    try:
        clocks = [old.clock("--release", "41"), new.clock("--release", "42")]
        for turn in range(RESTARTS):
            site, release = ((old, "41"), (new, "42"))[turn % 2]
            assert clocks[turn % 2].stop() == 0
            clocks[turn % 2] = site.clock("--release", release)
            assert new.schedules(client) == KEPT
    finally:
        old.end()
        new.end()
    assert clocks[0].said("release 42 declared the schedules")
    none_is_missing(ticks(client))
