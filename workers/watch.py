"""Watch: a process asks now and then whether what runs long is still its own.

A job may be canceled, deleted or given to another while it runs. Its outcome would be
refused, so to go on is in vain: the process notes it, and its supervisor has it end.
The same look shows RQ's tools what runs: short jobs, which it never meets, pay nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flow.store import running
from flow.workers.board import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store
    from flow.workers.child import Seat
    from flow.workers.pool import Pool

EVERY = 2.5  # seconds between two looks; what runs at both is asked about


class Watch:
    """Finds the executions of a process whose job was taken away.

    Args:
        store: where the jobs are.
        seat: whose worker RQ's tools show them of, and where the supervisor sees what
            was found.
        monotonic: the clock between two looks.
    """

    def __init__(
        self,
        store: Store,
        seat: Seat,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have seen nothing yet."""
        self._store = store
        self._part, self._worker = seat.part, seat.worker
        self._monotonic = monotonic
        self._due = monotonic() + EVERY
        self._part.watched = monotonic()
        self._seen: set[str] = set()

    def look(self, pool: Pool) -> None:
        """Look, if it is time to; short jobs are never seen twice, and cost nothing."""
        if self._monotonic() < self._due:
            return
        self._part.watched = self._monotonic()
        self._due = self._part.watched + EVERY
        claims = {work.claim.execution: work.claim for work in pool.under_way()}
        long = [claim for name, claim in claims.items() if name in self._seen]
        self._seen = set(claims)
        own = running.owned(self._store, long, self._worker) if long else []
        lost = {claim.execution for claim in long} - {claim.execution for claim in own}
        if lost or self._part.doubted.numbers():
            self._part.doubted.keep(map(number, lost))
