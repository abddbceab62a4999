"""The time zone data is swapped under a clock that runs; it takes two minutes."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.scheduler.clocks import Site
from tests.scheduler.test_zones import ATHENS, GREENWICH, PLACE, Data
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import redis

    from tests.support.server import Server

DAILY = """\
from flow import cron, task


@cron("0 {hour} * * *", tz="{place}")
@task
def report() -> None: ...
"""


def test_a_clock_that_runs_follows_new_time_zone_data(
    server: Server, client: redis.Redis, tmp_path: Path
) -> None:
    data = Data(tmp_path / "zones")
    data.swap("2090a", like=GREENWICH)
    hour = (datetime.now(UTC) + timedelta(hours=6)).hour
    site = Site(tmp_path / "app", server.url, DAILY.format(hour=hour, place=PLACE))
    raw: Any = client

    def stands() -> float:
        return float(raw.zscore("flow:clock:beats:next", "beats-report"))

    try:
        clock = site.clock(environment={"PYTHONTZPATH": os.fspath(data.folder)})
        assert clock.said("time zones of 2090a")
        before = stands()
        data.swap("2090b", like=ATHENS)
        wait_until(
            lambda: stands() == before - 7_200_000,
            timeout=300,
            waiting_for="the new plan",
        )
        assert clock.said("changed from 2090a to 2090b")
        assert clock.said("planned anew by the time zones of 2090b: beats-report")
    finally:
        site.end()
