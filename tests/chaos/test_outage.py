"""The server is away for a minute while fifty processes work: nothing runs twice."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING

from flow.record import Status
from tests.process.conftest import yard
from tests.support.faults import settled
from tests.support.ordeal import tasks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.faults import Yard
    from tests.support.server import Server

__all__ = ["yard"]
AWAY = float(os.environ.get("FLOW_CHAOS_OUTAGE", "60"))  # seconds
WORKERS, PROCESSES, JOBS = 5, 10, 3000


def test_a_minutes_outage_repeats_nothing(
    yard: Yard, store: Store, server: Server
) -> None:
    jobs = [
        *tasks.nap.enqueue_many([(n, n % 40 / 100) for n in range(JOBS)]),
        *tasks.anap.enqueue_many([(JOBS + n, n % 40 / 10) for n in range(JOBS)]),
    ]
    with contextlib.ExitStack() as ends:
        for _ in range(WORKERS):
            ends.enter_context(yard.worker(app=tasks.__name__, processes=PROCESSES))
        wait_until(
            lambda: _busy(yard) >= WORKERS * PROCESSES,
            timeout=120,
            waiting_for="fifty busy processes",
        )
        server.kill()
        threading.Event().wait(AWAY)  # not judged by: four leases pass
        server.start()
        settled(store)
    lines = Counter(line.rpartition(" ")[0] for line in yard.noted())
    sys.stderr.write(f"\n  {len(jobs)} jobs, {AWAY:g} s without a server\n")
    assert set(lines.values()) == {1}
    assert len(lines) == 2 * len(jobs)
    assert {job.status for job in jobs} == {Status.FINISHED}


def _busy(yard: Yard) -> int:
    return len({line.rpartition(" ")[2] for line in yard.noted()})
