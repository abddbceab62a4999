"""A hundred thousand queues: a worker beats, works and stops as if there were one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flow import keys
from flow.store import beats
from flow.store.client import BEGIN
from tests.support import hazards, workers
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.server import Server

Untyped = Any  # redis-py leaves its replies untyped
ROOT = Path(__file__).resolve().parents[2]
MANY, AT_ONCE = 100_000, 5000
LONG = 120.0  # seconds a wait may take at most
BEATS = 10  # about half a minute


@pytest.mark.leaves_keys("a queue with a waiting id for each that nobody serves")
def test_a_hundred_thousand_queues_stop_no_worker(
    server: Server, store: Store, client: Untyped, tmp_path: Path
) -> None:
    for start in range(0, MANY, AT_ONCE):
        names = [f"queue-{n}" for n in range(start, start + AT_ONCE)]
        client.sadd(keys.QUEUES, *map(keys.queue, names))
        pipeline = client.pipeline(transaction=False)
        for name in names:
            pipeline.rpush(keys.queue(name), "nobody")
            pipeline.zadd(keys.registry("scheduled", name), {"nobody": 2**40})
        pipeline.execute()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with workers.worker(
        server.url, app=hazards.__name__, folder=tmp_path, environment=environment
    ) as worker:
        later = hazards.echo.enqueue_in(1, "later")
        while max(beats.look(store, BEGIN).beats.values(), default=0) < BEATS:
            assert hazards.echo.enqueue("now").result(LONG) == "now"
            assert worker.poll() is None
        assert later.result(LONG) == "later"
        wait_until(
            lambda: "and 99,990 more, which no worker serves" in workers.log(tmp_path),
            timeout=LONG,
            waiting_for="the end of the janitor's round",
        )
        worker.terminate()
        assert worker.wait(LONG) == 0
    # A script that takes long would have kept the worker from its answers.
    assert "no answer" not in workers.log(tmp_path)
