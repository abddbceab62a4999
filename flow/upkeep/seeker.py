"""Seeker: keys of jobs that are gone, which nobody would ever find again, go.

A job leaves several keys beside its hash: its results, and who waits for it. Where the
hash expires or is deleted by itself, they stay. They are sought among all keys, slowly.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from flow import keys
from flow.service import Service
from flow.store import leftovers
from flow.store.client import BEGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store

AT_ONCE = 5  # calls a turn makes at most
SLICE = 500  # keys that a call looks at, so that no script call is long
FEW = 20  # strays that a call removes
MOST = 1000  # strays that wait to be looked at again
SOON = 1.0  # seconds between two turns of a round: it need not be quick
PAUSE = 600  # seconds between two rounds of all roles together
AGED = 60.0  # seconds between the two looks at a stray


class Seeker(Service):
    """Goes round all keys, and removes what was a stray at two looks.

    Args:
        store: where the jobs are.
        monotonic: the clock between two looks.
    """

    interval = 60.0

    def __init__(
        self, store: Store, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin no round yet."""
        self._store = store
        self._monotonic = monotonic
        self._at: str | None = None  # where to go on; None: the round is through
        self._found: deque[tuple[float, bytes]] = deque()

    def run_once(self) -> float | None:
        """Look at some keys; return when to go on, if the round is not over."""
        if self._at is None and not self._found:
            if not leftovers.begins(self._store, keys.SOUGHT, PAUSE):
                return None
            self._at = BEGIN
        self._discard()
        for _ in range(AT_ONCE):
            if self._at is not None and len(self._found) < MOST:
                self._seek(self._at)
        return SOON if self._at is not None or self._found else None

    def _seek(self, at: str) -> None:
        found, after = leftovers.strays(self._store, at, SLICE)
        now = self._monotonic()
        self._found.extend((now, key) for key in found)
        self._at = None if after == BEGIN else after

    def _discard(self) -> None:
        now = self._monotonic()
        aged: list[bytes] = []
        while self._found and self._found[0][0] + AGED <= now and len(aged) < FEW:
            aged.append(self._found.popleft()[1])
        if aged:
            leftovers.discard(self._store, aged, SLICE // FEW)
