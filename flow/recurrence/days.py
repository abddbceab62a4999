"""The days on which an expression fires: Vixie's rule for day and weekday."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING

from flow.recurrence.expression import LAST, Fields

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_YEAR = 2200
MONTHS_KEPT = 1200
SATURDAY, SUNDAY = 5, 6  # as the calendar module counts


class Days:
    """The days that match; a month is worked out once."""

    __slots__ = ("_fields", "_months")

    def __init__(self, fields: Fields) -> None:
        """Take what the expression says."""
        self._fields = fields
        self._months: dict[tuple[int, int], tuple[int, ...]] = {}

    def since(self, first: date) -> Iterator[date]:
        """Yield the matching days from ``first`` to the end of 2200, rising."""
        for month in self._fields.months:
            if month >= first.month:
                for day in self._in(first.year, month):
                    if month > first.month or day >= first.day:
                        yield date(first.year, month, day)
        for year in range(first.year + 1, LAST_YEAR + 1):
            for month in self._fields.months:
                for day in self._in(year, month):
                    yield date(year, month, day)

    def _in(self, year: int, month: int) -> tuple[int, ...]:
        known = self._months.get((year, month))
        if known is None:
            if len(self._months) >= MONTHS_KEPT:
                self._months.clear()
            known = self._months[year, month] = matching(self._fields, year, month)
        return known


def matching(fields: Fields, year: int, month: int) -> tuple[int, ...]:
    """Return the days of a month that match, rising."""
    start, length = monthrange(year, month)
    by_day = _by_day(fields, start, length)
    by_weekday = _by_weekday(fields, start, length)
    chosen = by_day & by_weekday if fields.both else by_day | by_weekday
    return tuple(sorted(chosen))


def _by_day(fields: Fields, start: int, length: int) -> set[int]:
    days = {day for day in fields.days if day <= length}
    if fields.last_day:
        days.add(length)
    if fields.nearest is not None:
        days.add(_nearest(min(fields.nearest, length), start, length))
    return days


def _by_weekday(fields: Fields, start: int, length: int) -> set[int]:
    days: set[int] = set()
    for day in range(1, length + 1):
        weekday = (start + day) % 7  # the first is (start + 1) % 7, 0 for Sunday
        number = (day + 6) // 7
        last = LAST if day + 7 > length else number
        nth = {(weekday, number), (weekday, last)}
        if weekday in fields.weekdays or not fields.nth.isdisjoint(nth):
            days.add(day)
    return days


def _nearest(day: int, start: int, length: int) -> int:
    """Return the weekday nearest to a day, within its month."""
    weekday = (start + day - 1) % 7
    if weekday == SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == SUNDAY:
        return day + 1 if day < length else day - 2
    return day
