"""Peek: whether an ``async def`` job is next, while plain jobs take all their slots.

A claim brings whatever is next, and what finds no slot goes back. Nothing is claimed
while only coroutines could be run, unless one is seen to be next.
"""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING

from flow import codec
from flow.registry import TASKS
from flow.store import running

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.registry import Declaration
    from flow.store.client import Store

EVERY = 0.25  # seconds between two looks: nobody rings for a slot that is not free


class Peek:
    """Looks at the head of the queues.

    Args:
        store: where the jobs are.
        queues: what the process serves, the first first.
        monotonic: the clock between two looks.
    """

    def __init__(
        self,
        store: Store,
        queues: Sequence[str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have seen nothing yet."""
        self._store = store
        self._queues = queues
        self._monotonic = monotonic
        self._due = 0.0
        # Most apps have none, and never look.
        self.useful = any(map(_is_async, TASKS))

    def finds_async(self) -> bool:
        """Look, if it is time to; return whether a coroutine is next."""
        if not self.useful or self._monotonic() < self._due:
            return False
        self._due = self._monotonic() + EVERY
        task = TASKS.find(codec.path_of(running.peek(self._store, self._queues)))
        return task is not None and _is_async(task)


def _is_async(task: Declaration) -> bool:
    return inspect.iscoroutinefunction(task.function) and not task.isolate
