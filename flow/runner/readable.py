"""Which descriptors can be read: those from 1024 on, too, unlike with select."""

from __future__ import annotations

import selectors
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where macOS polls, terminals are left out; there the low numbers have to do.
SELECTOR = (
    selectors.SelectSelector if sys.platform == "darwin" else selectors.PollSelector
)


def readable(descriptors: Iterable[int], timeout: float | None = None) -> set[int]:
    """Wait until there is something to read, or an end, and return where.

    Args:
        descriptors: what to wait for, each once.
        timeout: seconds, 0 to ask without waiting; None: as long as it takes.

    Returns:
        the descriptors that can be read now; none after the time-out.
    """
    with SELECTOR() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        return {key.fd for key, _ in selector.select(timeout)}
