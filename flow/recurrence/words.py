"""Puts what an expression says into plain English."""

from __future__ import annotations

from calendar import day_name, month_name
from typing import TYPE_CHECKING

from flow.recurrence.expression import LAST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.recurrence.expression import Fields

WEEK = 7
MONTH_LENGTH = 31
YEAR = 12
HOURS = tuple(range(24))
MINUTES = tuple(range(60))
FEW = 6  # times of a day that are listed one by one
RUN = 3  # values in a row that are said as a range
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}


def sentence(fields: Fields) -> str:
    """Return when it fires, such as ``at 07:00 on Monday to Friday``."""
    return " ".join(filter(None, (_time(fields), _days(fields), _months(fields))))


def _time(fields: Fields) -> str:
    seconds, minutes, hours = fields.seconds, fields.minutes, fields.hours
    if len(seconds) * len(minutes) * len(hours) <= FEW:
        return "at " + _joined(_clock_times(fields))
    if seconds == (0,):
        return _minutes_of(minutes, hours)
    rate = _rate(seconds, 60, "second")
    if rate is None:
        rate = f"at second {_list(seconds, str)} of every minute"
    if minutes == MINUTES and hours == HOURS:
        return rate
    return f"{rate}, {_minutes_of(minutes, hours)}"


def _clock_times(fields: Fields) -> list[str]:
    with_seconds = fields.seconds != (0,)
    return [
        f"{hour:02}:{minute:02}" + (f":{second:02}" if with_seconds else "")
        for hour in fields.hours
        for minute in fields.minutes
        for second in fields.seconds
    ]


def _minutes_of(minutes: Sequence[int], hours: Sequence[int]) -> str:
    rate = _rate(minutes, 60, "minute")
    if rate is not None and len(minutes) > 1:
        if hours == HOURS:
            return rate
        if _is_run(hours):
            return f"{rate} from {hours[0]:02}:00 to {hours[-1]:02}:59"
        return f"{rate} in {_hours(hours)}"
    marks = _list(minutes, lambda minute: f":{minute:02}")
    if (hourly := _rate(hours, 24, "hour")) is not None and hours[0] == 0:
        return f"{hourly} at {marks}"
    return f"at {marks} in {_hours(hours)}"


def _hours(hours: Sequence[int]) -> str:
    if len(hours) == 1:
        return f"the hour {hours[0]:02}"
    return f"the hours {_list(hours, lambda hour: f'{hour:02}')}"


def _rate(values: Sequence[int], size: int, unit: str) -> str | None:
    """Return ``every 5 minutes`` for values that are evenly spread over the whole."""
    step = size // len(values)
    if list(values) != list(range(values[0], size, step)) or size % step:
        return None
    if len(values) == 1:
        return None
    words = f"every {unit}" if step == 1 else f"every {step} {unit}s"
    return f"{words} from :{values[0]:02}" if values[0] else words


def _days(fields: Fields) -> str:
    day, weekday = _by_day(fields), _by_weekday(fields)
    if not day and not weekday:
        listed = len(fields.seconds) * len(fields.minutes) * len(fields.hours) <= FEW
        return "every day" if listed else ""
    if not (day and weekday):
        return day or weekday
    return f"{day} but only {weekday}" if fields.both else f"{day} or {weekday}"


def _by_day(fields: Fields) -> str:
    if len(fields.days) == MONTH_LENGTH:
        return ""
    if fields.nearest is not None:
        return f"on the weekday nearest the {_ordinal(fields.nearest)} of the month"
    named = _named(fields.days, _ordinal) + ["last day"] * fields.last_day
    return f"on the {_joined(named)} of the month"


def _by_weekday(fields: Fields) -> str:
    if len(fields.weekdays) == WEEK:
        return ""
    if fields.nth:
        pairs = sorted(fields.nth, key=lambda pair: (pair[1] % WEEK, pair[0]))
        named = [f"{ORDINALS[number]} {_weekday(day)}" for day, number in pairs]
        return f"on the {_joined(named)} of the month"
    # Monday first, so that a weekend is one range.
    days = sorted((day - 1) % WEEK for day in fields.weekdays)
    return "on " + _list(days, lambda day: day_name[day])


def _months(fields: Fields) -> str:
    if len(fields.months) == YEAR:
        return ""
    return "in " + _list(fields.months, lambda month: month_name[month])


def _weekday(day: int) -> str:
    return day_name[(day - 1) % WEEK]


def _ordinal(day: int) -> str:
    teens = (11, 12, 13)
    return f"{day}{'th' if day in teens else _SUFFIX.get(day % 10, 'th')}"


_SUFFIX = {1: "st", 2: "nd", 3: "rd"}


def _is_run(values: Sequence[int]) -> bool:
    return len(values) == values[-1] - values[0] + 1


def _list(values: Sequence[int], name: Callable[[int], str]) -> str:
    return _joined(_named(values, name))


def _named(values: Sequence[int], name: Callable[[int], str]) -> list[str]:
    """Return rising values as words, three or more in a row as a range."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    words: list[str] = []
    for run in runs:
        if len(run) >= RUN:
            words.append(f"{name(run[0])} to {name(run[-1])}")
        else:
            words.extend(map(name, run))
    return words


def _joined(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
