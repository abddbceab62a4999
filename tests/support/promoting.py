"""Promotes what is due in a server with a few queues, as the promoter does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flow.store import delays
from flow.store.client import BEGIN

if TYPE_CHECKING:
    from flow.store.client import Store


def promote(store: Store, limit: int = 1000) -> tuple[int, float | None]:
    """Queue what is due; return how many, and the seconds until the next is."""
    done = delays.promote(store.link, BEGIN, limit, None, time.time())
    assert done.after == BEGIN  # one call looks at more queues than a test has
    return done.moved, done.wait
