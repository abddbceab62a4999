"""Many jobs whose results are kept for seconds: what Redis holds stays the same."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow import keys
from tests.support import hazards, workers
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.server import Server

Untyped = Any  # redis-py leaves its replies untyped
ROOT = Path(__file__).resolve().parents[2]
APP = "tests.support.hazards"
BATCH = 200  # jobs, ten times a second: 2,000 jobs a second
STEADY = 20_000  # jobs after which as many expire as come: ten seconds
ALL = int(os.environ.get("FLOW_CHAOS_MEMORY", "60000"))  # jobs; half a minute
LONG = 120.0  # seconds a wait may take at most


def test_memory_stays_flat_while_results_come_and_expire(
    server: Server, store: Store, client: Untyped, tmp_path: Path
) -> None:
    short = hazards.echo.options(result_ttl=5)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with workers.worker(
        server.url, app=APP, folder=tmp_path, environment=environment
    ) as worker:
        short.enqueue(0).result(LONG)
        begin = memory(client)
        pace, due, seen = threading.Event(), time.monotonic(), list[int]()
        for sent in range(BATCH, ALL + BATCH, BATCH):
            short.enqueue_many([(n,) for n in range(BATCH)])
            wait_until(
                lambda: client.llen(keys.queue("default")) < 10 * BATCH,
                timeout=LONG,
                waiting_for="the worker to keep up",
            )
            due += 0.1
            pace.wait(max(0.0, due - time.monotonic()))
            if sent >= STEADY:
                seen.append(memory(client) - begin)
        third = len(seen) // 3
        early, late = max(seen[:third]), max(seen[-third:])
        assert late < 1.25 * early
        wait_until(
            lambda: client.dbsize() < 20 and not client.exists("rq:finished:default"),
            timeout=LONG,
            waiting_for=f"the end of {client.dbsize()} keys",
        )
        assert memory(client) - begin < early / 4
        assert worker.poll() is None
    assert store.held(["default"]) == []


def memory(client: Untyped) -> int:
    used: int = client.info("memory")["used_memory"]
    return used
