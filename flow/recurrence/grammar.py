"""What an expression may say: finds the parts that two readers would read apart.

croniter accepts more than this, and reads some of it as nobody meant it: ``5-5``
is every minute there, ``1,1#2`` loses its first half. Each such part is refused
with what to write instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

ITEM = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>\d{1,4}))?", re.ASCII)
NTH = re.compile(r"(?P<day>\w+)#[1-5]", re.ASCII)
SATURDAY = 6
LAST = re.compile(r"l[0-7]")
NEAREST = re.compile(r"w?([1-9]|[12]\d|3[01])w?")


@dataclass(frozen=True, slots=True)
class Field:
    """One of the six fields: its name, its values, and their names if they have any."""

    name: str
    low: int
    high: int
    size: int
    names: tuple[str, ...] = ()

    def value(self, word: str) -> int | None:
        """Return the number that a word stands for, or None if it is no value."""
        if word in self.names:
            return self.names.index(word) + self.low
        number = int(word) if re.fullmatch(r"[0-9]{1,4}", word) else -1
        return number if self.low <= number <= self.high else None


SECOND = Field("second", 0, 59, 60)
MINUTE = Field("minute", 0, 59, 60)
HOUR = Field("hour", 0, 23, 24)
DAY = Field("day of month", 1, 31, 31)
MONTH = Field("month", 1, 12, 12, MONTHS)
WEEKDAY = Field("day of week", 0, 7, 7, WEEKDAYS)  # both 0 and 7 are Sunday
FIELDS = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)


def fault(field: Field, text: str) -> str | None:
    """Return what is wrong with a field's text and what to write, or None.

    Args:
        field: which of the six fields it is.
        text: its text in lower case, without H.
    """
    if text == "?":
        return None if field in {DAY, WEEKDAY} else "has '?': write *"
    items = text.split(",")
    faults = (_item_fault(field, item) for item in items)
    return next(filter(None, faults), None) or _list_fault(field, items)


def sunday_as_zero(text: str) -> str:
    """Return a checked day of week without 7, which croniter 6 loses in six fields."""
    return ",".join(map(_item_as_zero, text.split(",")))


def _item_as_zero(item: str) -> str:
    match = ITEM.fullmatch(item)
    if match is None or match["last"] != "7":
        return re.sub("^(l?)7", r"\g<1>0", item)
    days = range(WEEKDAY.value(match["first"]) or 0, 8, int(match["step"] or 1))
    return ",".join(str(day % 7) for day in days)


def _list_fault(field: Field, items: list[str]) -> str | None:
    starred = [item for item in items if item.startswith("*")]
    if "*" in items and len(items) > 1:
        return "has '*' in a list, which is every value: write *"
    if starred and not items[0].startswith("*"):
        # Whether a field begins with * decides on DST and on day AND weekday.
        return f"has {starred[0]!r} inside a list: put it first"
    if field is DAY and len(items) > 1 and any("w" in item for item in items):
        return "has W in a list: write one schedule for each"
    special = [item for item in items if field is WEEKDAY and _special(field, item)]
    if special and len(special) < len(items):
        return f"mixes {special[0]!r} with plain days: write two schedules"
    return None


def _special(field: Field, item: str) -> bool:
    """Tell whether it is one of the forms that only a day has: L, 15W, fri#2, L5."""
    if field is DAY:
        letters = item.count("w")
        return item == "l" or (letters == 1 and bool(NEAREST.fullmatch(item)))
    if field is WEEKDAY:
        nth = NTH.fullmatch(item)
        named = nth is not None and field.value(nth["day"]) is not None
        return named or bool(LAST.fullmatch(item))
    return False


def _item_fault(field: Field, item: str) -> str | None:
    if _special(field, item):
        return None
    match = ITEM.fullmatch(item)
    if match is None:
        return _unreadable(field, item)
    first, last, step = match["first"], match["last"], match["step"]
    if last is not None:
        problem = _range_fault(field, first, last)
    elif first == "*":
        problem = None
    else:
        problem = _start_fault(field, first, step)
    return problem or _step_fault(field, item, step)


def _start_fault(field: Field, first: str, step: str | None) -> str | None:
    start = field.value(first)
    if start is None:
        return _unreadable(field, first)
    if step is None:
        return None
    if field is WEEKDAY:
        clear = "sat" if start == SATURDAY else f"{WEEKDAYS[start % 7]}-sat/{step}"
        return f"has '{first}/{step}', whose end is unclear: write {clear}"
    if start + int(step) > field.high:
        return f"has '{first}/{step}', which steps past the end: write {first}"
    return None


def _range_fault(field: Field, first: str, last: str) -> str | None:
    low = field.value(first)
    high = 31 if field is DAY and last == "l" else field.value(last)
    if low is None or high is None:
        return _unreadable(field, last if high is None else first)
    if low == high:
        return f"has '{first}-{last}', a range of one: write {first}"
    if low > high:
        return (
            f"has '{first}-{last}', which wraps: write {_unwrapped(field, low, high)}"
        )
    return None


def _unwrapped(field: Field, low: int, high: int) -> str:
    top = 6 if field is WEEKDAY else field.high
    values = [*range(low, top + 1), *range(field.low, high + 1)]
    if field.names:
        return ",".join(field.names[value - field.low] for value in values)
    return ",".join(_span(*ends) for ends in ((low, top), (field.low, high)))


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def _step_fault(field: Field, item: str, step: str | None) -> str | None:
    if step is None or 1 <= int(step) <= field.size:
        return None
    most = f"a step is from 1 to {field.size}"
    return f"has {item!r}: {most}; for other intervals use every(seconds)"


def _unreadable(field: Field, word: str) -> str:
    if field is WEEKDAY and re.fullmatch(r"\w*l", word):
        return (
            f"has {word!r}: write L5 for the last Friday of the month, 6 for Saturday"
        )
    if field is WEEKDAY and "#" in word:
        return f"has {word!r}: write fri#2 for the second Friday; a month has 1 to 5"
    more = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    if field is DAY:
        more = ", L for the last day, or 15W for the weekday nearest to the 15th"
    return f"has {word[:20]!r}: its values are {field.low} to {field.high}{more}"
