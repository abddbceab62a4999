"""Recurrence at a fixed interval, which never drifts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flow.errors import InvalidSchedule
from flow.recurrence.moments import END, EPOCH, MICROSECOND, microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 1.0  # seconds
LONGEST = 3660 * 86400.0  # seconds: ten years
UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Every:
    """A tick each so many seconds, counted from a fixed instant.

    The ticks depend on nothing but the two arguments: a restart, a slow job or a
    change of the clocks moves none of them.

    Args:
        seconds: between two ticks, from 1 to ten years; a fraction is kept to the
            microsecond.
        anchor: an aware instant that is a tick, as are those before it; without
            one it is midnight UTC of 1 January 1970.

    Raises:
        InvalidSchedule: the interval is too short, too long or no number.
        NaiveDatetime: the anchor has no time zone.
    """

    seconds: float
    anchor: datetime | None = None

    def __post_init__(self) -> None:
        """Check both."""
        if not (math.isfinite(self.seconds) and SHORTEST <= self.seconds <= LONGEST):
            raise InvalidSchedule(
                f"an interval of {self.seconds!r} s: it is from 1 second to ten years"
            )
        if self.anchor is not None:
            microseconds(self.anchor)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick later than an aware instant, in UTC.

        Raises:
            NaiveDatetime: the instant has no time zone.
            InvalidSchedule: the instant or the tick is outside 1970 to 2200.
        """
        tick = self._from(microseconds(moment) + 1)
        if tick >= END:
            raise InvalidSchedule(f"{self.describe()}: no tick after {moment} to 2200")
        return tick

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the ticks from ``start``, itself included, to before ``end``, in UTC.

        Raises:
            NaiveDatetime: an instant has no time zone.
            InvalidSchedule: an instant is outside 1970 to 2200.
        """
        return self._ticks(microseconds(start), microseconds(end))

    def describe(self) -> str:
        """Return it in words, such as ``every 5 minutes``."""
        words = _interval(self.seconds)
        if self.anchor is None:
            return words
        return (
            f"{words}, counted from {self.anchor.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        )

    def _ticks(self, start: int, end: int) -> Iterator[datetime]:
        tick = self._from(start)
        last = EPOCH + end * MICROSECOND
        while tick < last:
            yield tick
            tick += self._step * MICROSECOND

    def _from(self, earliest: int) -> datetime:
        """Return the first tick that is not before so many microseconds."""
        origin = 0 if self.anchor is None else microseconds(self.anchor)
        count = -((origin - earliest) // self._step)
        return EPOCH + timedelta(microseconds=origin + count * self._step)

    @property
    def _step(self) -> int:
        return timedelta(seconds=self.seconds) // MICROSECOND


def _interval(seconds: float) -> str:
    for size, unit in UNITS:
        if seconds % size == 0:
            count = int(seconds // size)
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {seconds:g} seconds"
