"""Time and chance, as arguments: tests bring their own."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def local_time() -> datetime:
    """Return the time, in the time zone of whoever looks at the screen."""
    return datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class World:
    """What a session cannot decide itself.

    Args:
        clock: monotonic seconds.
        now: the time of day.
        chance: a number from 0 to 1.
    """

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = local_time
    chance: Callable[[], float] = random.random
