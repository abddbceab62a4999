"""Tidier: RQ's groups and rate limits forget jobs that are gone.

A job that expires leaves its id in its group, and one that expires while it waits keeps
its slot of a limit. RQ's workers look after both, under a lock that is held here too.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from flow import keys
from flow.service import Service
from flow.store import leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flow.store.client import Store

AT_ONCE = 20  # calls a turn makes at most
SLICE = 500  # jobs that a call looks at, so that no script call is long
PAUSE = 60  # seconds between two rounds of all roles together
SOON = 0.1  # seconds between two turns of a round


class Tidier(Service):
    """Goes round the limits and the groups, a part of it at each turn.

    Args:
        store: where the jobs are.
    """

    interval = 30.0

    def __init__(self, store: Store) -> None:
        """Begin no round yet."""
        self._store = store
        self._round: Iterator[None] = iter(())

    def run_once(self) -> float | None:
        """Look after some; return when to go on, if the round is not over."""
        # There may be a limit a customer, and whoever runs this has to beat meanwhile.
        looked = sum(1 for _ in itertools.islice(self._round, AT_ONCE))
        if not looked and leftovers.begins(self._store, keys.TIDIED, PAUSE):
            self._round = self._go_round()
            looked = sum(1 for _ in itertools.islice(self._round, AT_ONCE))
        return SOON if looked == AT_ONCE else None

    def _go_round(self) -> Iterator[None]:
        yield from self._look(keys.LIMITS, leftovers.tidy_limit)
        yield from self._look(keys.GROUPS, leftovers.tidy_group)

    def _look(
        self, names: str, tidy: Callable[[Store, str, int, int], int]
    ) -> Iterator[None]:
        for name in leftovers.names(self._store, names):
            at = tidy(self._store, name, 0, SLICE)
            yield
            while at:
                at = tidy(self._store, name, at, SLICE)
                yield
