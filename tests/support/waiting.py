"""Waits for what must happen, never for a time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    *,
    timeout: float = 20.0,
    waiting_for: str = "a condition",
    every: float = 0.01,
) -> T:
    """Return the condition's first true value; fail the test after ``timeout`` seconds.

    The interval is only how often it looks: no test may pass because of it.
    """
    pause = threading.Event()
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for {waiting_for}")
        pause.wait(every)
    return value
