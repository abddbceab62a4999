"""Twenty thousand jobs while everything is killed: sent is done, nothing twice."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tests.support.ordeal.ordeal import Plan, endure

if TYPE_CHECKING:
    from pathlib import Path

    from flow.store.client import Store
    from tests.support.server import Server

JOBS = int(os.environ.get("FLOW_CHAOS_JOBS", "20000"))


def test_all_that_was_sent_is_done_and_nothing_twice(
    server: Server, store: Store, tmp_path: Path
) -> None:
    seed = int(os.environ.get("FLOW_CHAOS_SEED", time.time()))
    assert endure(server, store, tmp_path, Plan(JOBS, seed)) == []
