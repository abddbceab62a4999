"""Ten releases of the example in a row, under load: nothing fails or is missed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from flow.runner.output import journal
from tests.guide.rolling import deploy_under_load
from tests.runner.conftest import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.server import Server

__all__ = ["free_port"]  # a fixture
TICK = re.compile(rb"(\S+) app\[clock\.1\]: .*tick of photos-tasks-contact_sheet")


def test_ten_releases_in_a_row_lose_nothing(
    tmp_path: Path,
    server: Server,
    free_port: int,
) -> None:
    deploy_under_load(tmp_path, server.url, free_port, 10)
    lines = journal.tail(tmp_path / "photos/.flow/log", 10**6, lambda _: True)
    ticks = [
        int(datetime.fromisoformat(found[1].decode()).timestamp() // 60)
        for line in lines
        if (found := TICK.match(line))
    ]
    # Each minute once, and none left out between the first and the last.
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
    assert ticks
