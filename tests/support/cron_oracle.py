"""A slow, simple reading of cron: looks at each minute and asks whether it fires.

It shares nothing with flow: it parses by itself, walks through UTC, and learns
from the walk alone which local times are skipped and which come twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, tzinfo

NAMES = {
    name: number
    for names, first in (
        ("jan feb mar apr may jun jul aug sep oct nov dec", 1),
        ("sun mon tue wed thu fri sat", 0),
    )
    for number, name in enumerate(names.split(), first)
}
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Moment:
    """One instant of the walk.

    Args:
        utc: seconds since 1970.
        local: what the wall clock shows.
        again: whether it has shown that before.
        skipped: what it would have shown, had it not just been put forward.
    """

    utc: int
    local: datetime
    again: bool
    skipped: tuple[datetime, ...]


def walk(zone: tzinfo, start: datetime, end: datetime, step: timedelta) -> list[Moment]:
    """Return the instants from start to before end; start must not be in an overlap."""
    moments: list[Moment] = []
    latest = _wall(start - step, zone)  # the latest that the wall clock has shown
    before = latest
    now = start
    while now < end:
        local = _wall(now, zone)
        skipped = tuple(_steps(before + step, local, step))
        moments.append(Moment(int(now.timestamp()), local, local <= latest, skipped))
        before, latest = local, max(local, latest)
        now += step
    return moments


def _wall(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    while start < end:
        yield start
        start += step


def changes(zone: tzinfo, start: datetime, end: datetime) -> list[datetime]:
    """Return the instants in UTC at which a zone changes its offset, to the minute."""
    found: list[datetime] = []
    span = timedelta(hours=12)
    while start < end:
        if _offset(start, zone) != _offset(start + span, zone):
            found.append(_change(start, start + span, zone))
        start += span
    return found


def _change(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) // timedelta(minutes=2) * timedelta(minutes=1)
        if _offset(middle, zone) == _offset(low, zone):
            low = middle
        else:
            high = middle
    return high


def _offset(instant: datetime, zone: tzinfo) -> timedelta | None:
    return instant.astimezone(UTC).astimezone(zone).utcoffset()


def expected(expression: str, moments: list[Moment], dst: str = "vixie") -> list[int]:
    """Return the ticks of an expression during a walk, in seconds since 1970."""
    fires, spaced = reading(expression)
    ticks: list[int] = []
    for moment in moments:
        late = dst == "vixie" and not spaced and any(map(fires, moment.skipped))
        once = dst != "strict" and not spaced
        if late or (fires(moment.local) and not (once and moment.again)):
            ticks.append(moment.utc)
    return ticks


def reading(expression: str) -> tuple[Callable[[datetime], bool], bool]:
    """Return whether a wall-clock time matches, and whether it follows real time."""
    texts = expression.lower().split()
    second, minute, hour, day, month, weekday = ["0"] * (6 - len(texts)) + texts
    seconds, minutes = _set(second, 0, 59), _set(minute, 0, 59)
    hours, months = _set(hour, 0, 23), _set(month, 1, 12)
    either = not (day.startswith("*") or weekday.startswith("*"))

    @cache
    def on(date: date) -> bool:
        by_day = any(_day_matches(item, date) for item in day.split(","))
        by_weekday = any(_weekday_matches(item, date) for item in weekday.split(","))
        both = by_day or by_weekday if either else by_day and by_weekday
        return date.month in months and both

    def fires(local: datetime) -> bool:
        return (
            local.minute in minutes
            and local.hour in hours
            and local.second in seconds
            and on(local.date())
        )

    return fires, minute.startswith("*") or hour.startswith("*")


def _day_matches(item: str, day: date) -> bool:
    length = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - ONE_DAY).day
    if item == "l":
        return day.day == length
    if "w" in item:
        wanted = day.replace(day=min(int(item.strip("w")), length))
        near = [wanted + ONE_DAY * by for by in (0, -1, 1, -2, 2)]
        return day == next(
            d for d in near if d.month == day.month and d.isoweekday() <= 5
        )
    return day.day in _set(item, 1, 31)


def _weekday_matches(item: str, day: date) -> bool:
    if item.startswith("l"):
        last = (day + 7 * ONE_DAY).month != day.month
        return last and day.isoweekday() % 7 == int(item[1:]) % 7
    name, _, number = item.partition("#")
    values = {value % 7 for value in _set(name, 0, 6)}
    counted = [day - 7 * ONE_DAY * by for by in range(5)]
    nth = sum(d.month == day.month for d in counted)
    return day.isoweekday() % 7 in values and (not number or int(number) == nth)


def _set(text: str, low: int, high: int) -> set[int]:
    return {value for item in text.split(",") for value in _item(item, low, high)}


def _item(item: str, low: int, high: int) -> range:
    span, _, step = item.partition("/")
    if span == "*":
        return range(low, high + 1, int(step or 1))
    first, _, last = span.partition("-")
    end = _number(last) if last else (high if step else _number(first))
    return range(_number(first), end + 1, int(step or 1))


def _number(word: str) -> int:
    return NAMES[word] if word in NAMES else int(word)
