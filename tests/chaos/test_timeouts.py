"""A hundred thousand timeouts at the instant of the return."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from flow.errors import SoftTimeout
from flow.workers import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = int(os.environ.get("FLOW_CHAOS_TIMEOUTS", "100000"))
PROCESSES = 4
LIMIT = 0.001  # seconds


def many(count: int, thread: int = 0) -> Counter[str]:
    """Call so often something that ends within 50 microseconds of its limit."""
    found: Counter[str] = Counter()
    for n in range(count):
        seconds = LIMIT + ((n + thread) % 101 - 50) / 1e6
        try:
            found[timeout.call(LIMIT, spin, (seconds,), {})] += 1
        except SoftTimeout as error:
            found[str(error)] += 1
        for step in range(50):  # nothing may arrive after the call
            assert step >= 0
    return found


def spin(seconds: float) -> str:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return "done"


def in_threads(count: int) -> Counter[str]:
    """Do the same in two threads of one process."""
    with ThreadPoolExecutor(2) as threads:
        found = [threads.submit(many, count // 2, n) for n in range(2)]
        return sum((one.result() for one in found), Counter[str]())


@pytest.mark.parametrize(("where", "count"), [(many, COUNT), (in_threads, COUNT // 50)])
def test_each_call_has_finished_or_timed_out(
    where: Callable[[int], Counter[str]], count: int
) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawn) as processes:
        parts = [processes.submit(where, count // PROCESSES) for _ in range(PROCESSES)]
        found = sum((one.result() for one in parts), Counter[str]())
    sys.stderr.write(f"\n  {dict(found)}\n")
    assert found.total() == count
    assert set(found) == {"done", timeout.text(LIMIT)}
