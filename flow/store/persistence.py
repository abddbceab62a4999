"""Persistence: tries to reach a server that is away, and says once that it waits."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from flow.events import ServerAway, ServerBack
from flow.log import emit

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.address import Address


class Persistence:
    """Tries to reach a server that is away.

    Args:
        address: of the server.
        seconds: how long, counted from now; by default for ever.
        wait: waits so many seconds; tests and roles that stop give their own.
        monotonic: measures how long it was away.
    """

    def __init__(
        self,
        address: Address,
        seconds: float = math.inf,
        wait: Callable[[float], object] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with a server that answers."""
        self._address = address
        self._until = monotonic() + seconds
        self._wait = wait or threading.Event().wait
        self._monotonic = monotonic
        self._away_since: float | None = None

    def __call__(self, error: Exception, delay: float) -> bool:
        """Wait, and have the call tried once more, unless time is up."""
        pause = self.pause(error, delay)
        if pause is not None:
            self._wait(pause)
        return pause is not None

    def pause(self, error: Exception, delay: float) -> float | None:
        """Return the seconds until the next try, or None when time is up."""
        left = self._until - self._monotonic()
        if left <= 0:
            return None
        # The first further try comes at once: most often a connection was cut, no more.
        if delay > 0 and self._away_since is None:
            self._away_since = self._monotonic()
            emit(ServerAway(f"no answer from {self._address}: {error}"))
        return min(delay, left)

    def answered(self) -> None:
        """Note that a call got through."""
        if self._away_since is not None:
            emit(ServerBack(self._monotonic() - self._away_since))
            self._away_since = None
