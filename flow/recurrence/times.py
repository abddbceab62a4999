"""The times of the day at which an expression fires, as seconds since midnight."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.recurrence.expression import Fields


class Times:
    """The times of a day; the same on each day that matches."""

    __slots__ = ("_minutes", "_seconds")

    def __init__(self, fields: Fields) -> None:
        """Take what the expression says."""
        self._seconds = fields.seconds
        self._minutes = tuple(
            hour * 60 + minute for hour in fields.hours for minute in fields.minutes
        )

    def __iter__(self) -> Iterator[int]:
        """Yield every time of the day, rising."""
        for minute in self._minutes:
            for second in self._seconds:
                yield minute * 60 + second

    def after(self, moment: int) -> int | None:
        """Return the first time later than ``moment``, or None.

        Args:
            moment: seconds since midnight; may lie before or after the day.
        """
        minute, second = divmod(moment, 60)
        index = bisect_left(self._minutes, minute)
        if index < len(self._minutes) and self._minutes[index] == minute:
            later = bisect_right(self._seconds, second)
            if later < len(self._seconds):
                return minute * 60 + self._seconds[later]
            index += 1
        if index == len(self._minutes):
            return None
        return self._minutes[index] * 60 + self._seconds[0]
