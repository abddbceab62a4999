"""Tidier: RQ's groups and rate limits forget jobs that are gone.

A job that expires leaves its id in its group, and one that expires while it waits keeps
its slot of a limit. RQ's workers look after both, under a lock that is held here too.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow.store.client import Store

AT_ONCE = 20  # calls a turn makes at most
SLICE = 500  # jobs that a call looks at, so that no script call is long
PAUSE = 60  # seconds between two rounds of all roles together


class Tidier:
    """Goes round the groups and the limits, a part of it at each turn.

    Args:
        store: where the jobs are.
    """

    def __init__(self, store: Store) -> None:
        """Begin no round yet."""
        self._store = store
        self._limits: deque[str] = deque()
        self._groups: deque[tuple[str, int]] = deque()

    def turn(self) -> bool:
        """Look after some; return whether the round is still to go on."""
        if not self._unseen:
            if not self._store.tidies(PAUSE):
                return False
            self._limits.extend(self._store.limits())
            self._groups.extend((group, 0) for group in self._store.groups())
        # There may be a limit a customer, and whoever runs this has to beat meanwhile.
        for _ in range(min(AT_ONCE, self._unseen)):
            self._look()
        return self._unseen > 0

    @property
    def _unseen(self) -> int:
        return len(self._limits) + len(self._groups)

    def _look(self) -> None:
        if self._limits:
            self._store.tidy_limit(self._limits.popleft(), SLICE)
            return
        group, at = self._groups.popleft()
        at = self._store.tidy_group(group, at, SLICE)
        if at:
            self._groups.append((group, at))
