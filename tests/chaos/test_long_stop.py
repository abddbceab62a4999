"""A worker stands still for longer than its lease, and then goes on.

Its job is another's by then. It may run twice; one of the two settles, the other is
told that it was lost.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.process.conftest import yard
from tests.support import hazards
from tests.support.faults import everything, let_go, settled
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from flow import Task
    from flow.store.client import Store
    from tests.support.faults import Yard

__all__ = ["yard"]
LONG = 120.0  # seconds a wait may take at most


@pytest.mark.parametrize("task", [hazards.trace, hazards.atrace])
def test_one_of_two_runs_settles_and_the_other_is_named(
    yard: Yard, store: Store, task: Task[[Path, str, Path], str, str]
) -> None:
    gate = yard.gate()
    job = task.enqueue(yard.ledger, "it", gate)
    with yard.worker() as first:
        yard.expect(1)
        for pid in everything(first):
            os.kill(pid, signal.SIGSTOP)
        with yard.worker():
            yard.expect(2)  # after the lease of 15 s
            let_go(gate)
            assert job.result(LONG) == "it"
            for pid in everything(first):
                os.kill(pid, signal.SIGCONT)
            wait_until(
                lambda: yard.noted().count("end it") == 2,
                timeout=LONG,
                waiting_for="the end of the first run",
            )
            yard.said("lost")
            settled(store)
    assert yard.noted().count("begin it") == 2
    assert store.link.command("XLEN", f"rq:results:{job.id}") == 1
