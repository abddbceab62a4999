"""Soft timeouts: every call has finished or timed out, and the next is untouched."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flow.errors import SoftTimeout
from flow.workers import timeout

STILL = threading.Event()
HELD = threading.Lock()  # nobody gives it up; an Event's wait may not be interrupted
HELD.acquire()
COUNT = 3000


def spin(seconds: float) -> str:
    """End at about that time, between two steps of Python."""
    HELD.acquire(timeout=seconds)
    return "done"


def many(seconds: float, count: int) -> set[str]:
    """Call so often with a timeout at the very instant of the return."""
    found: set[str] = set()
    for _ in range(count):
        try:
            found.add(timeout.call(seconds, spin, (seconds,), {}))
        except SoftTimeout as error:
            found.add(str(error))
        for step in range(50):  # nothing may arrive after the call
            assert step >= 0
    return found


def test_a_call_at_its_limit_has_finished_or_timed_out_in_the_main_thread() -> None:
    assert many(0.001, COUNT) <= {"done", timeout.text(0.001)}


def test_a_call_at_its_limit_has_finished_or_timed_out_in_a_thread() -> None:
    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(many, 0.001, COUNT // 10) for _ in range(4)]
        for future in found:
            assert future.result() <= {"done", timeout.text(0.001)}


def test_a_call_without_a_limit_may_take_its_time() -> None:
    assert timeout.call(-1, spin, (0.01,), {}) == "done"


def test_a_timeout_that_is_swallowed_comes_again() -> None:
    swallowed: list[str] = []

    def stubborn() -> None:
        try:
            STILL.wait()
        except BaseException as error:  # noqa: BLE001 - as stubborn code does
            swallowed.append(str(error))
        STILL.wait()

    with pytest.raises(SoftTimeout):
        timeout.call(0.05, stubborn, (), {})
    assert len(swallowed) == 1


def test_an_error_of_the_call_passes_through() -> None:
    def explode() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        timeout.call(5, explode, (), {})
