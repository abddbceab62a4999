"""Reads a cron expression: croniter parses, flow refuses what it misreads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from croniter import croniter

from flow.errors import InvalidSchedule
from flow.recurrence.grammar import FIELDS, Field, fault, sunday_as_zero
from flow.recurrence.spread import spread

if TYPE_CHECKING:
    from collections.abc import Iterable

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
SHOWN = 100  # characters of an expression that a message repeats
LAST = -1  # as the number of a weekday in its month


@dataclass(frozen=True, slots=True)
class Fields:
    """What an expression says, as numbers.

    Args:
        seconds: of the minute, rising; ``(0,)`` with five fields.
        minutes: of the hour, rising.
        hours: of the day, rising.
        days: of the month, without ``last_day`` and ``nearest``.
        last_day: the last day of the month too.
        nearest: the weekday nearest to this day (W), else None.
        months: rising.
        weekdays: 0 is Sunday; empty when ``nth`` says it.
        nth: pairs of a weekday and its number in the month, LAST for the last.
        spaced: minute or hour begins with ``*``: it follows the time that passes,
            not the hands of the clock.
        both: day and weekday must both match, as one of them begins with ``*``.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    last_day: bool
    nearest: int | None
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    nth: frozenset[tuple[int, int]]
    spaced: bool
    both: bool


def read(expression: str, id_: str | None = None) -> Fields:
    """Return what an expression says.

    Args:
        expression: five fields, six with the seconds first, or a nickname.
        id_: what H draws from.

    Raises:
        InvalidSchedule: it is wrong or unclear; the message says what to write.
    """
    try:
        texts = _texts(expression)
        drawn = [spread(*pair, id_) for pair in zip(FIELDS, texts, strict=True)]
        for field, text in zip(FIELDS, drawn, strict=True):
            if problem := fault(field, text):
                raise InvalidSchedule(f"{field.name} {problem}")  # noqa: TRY301  (named below, with the expression)
        drawn[-1] = sunday_as_zero(drawn[-1])
        return _fields(_parsed(drawn), texts)
    except InvalidSchedule as error:
        raise InvalidSchedule(f"cron {expression[:SHOWN]!r}: {error}") from None


def _texts(expression: str) -> list[str]:
    """Return the six fields in lower case, the seconds first."""
    if not expression.isascii():
        raise InvalidSchedule("has characters that are not ASCII: retype it")
    text = expression.strip().lower()
    if text.startswith("@"):
        text = _nickname(text)
    texts = text.split()
    if len(texts) == len(FIELDS):
        return texts
    if len(texts) != len(FIELDS) - 1:
        raise InvalidSchedule(
            f"has {len(texts)} fields: write five (minute hour day month weekday),"
            " or six with the seconds first"
        )
    return ["0", *texts]


def _nickname(text: str) -> str:
    if text not in NICKNAMES:
        raise InvalidSchedule(f"is no nickname: known are {', '.join(NICKNAMES)}")
    return NICKNAMES[text]


def _starred(text: str) -> bool:
    # H/15 is */15 with an offset: its job keeps its spacing as well.
    return text.startswith(("*", "?", "h/"))


def _parsed(texts: list[str]) -> croniter[float]:
    try:
        # A start only because it would read the clock without one.
        return croniter(" ".join(texts), 0.0, second_at_beginning=True)
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidSchedule(f"is not understood: {error}") from error


def _fields(parsed: croniter[float], texts: list[str]) -> Fields:
    _, minute_star, hour_star, day_star, _, weekday_star = map(_starred, texts)
    second, minute, hour, day, month, weekday = FIELDS
    # The published stubs call these numbers texts.
    minutes, hours, days, months, weekdays, seconds = cast("Any", parsed.expanded)
    nearest = cast("set[int]", getattr(parsed, "nearest_weekday", set[int]()))
    nth = _nth(cast("Any", parsed.nth_weekday_of_month))
    return Fields(
        seconds=_numbers(second, seconds),
        minutes=_numbers(minute, minutes),
        hours=_numbers(hour, hours),
        days=() if nearest else _numbers(day, days),
        last_day="l" in days,
        nearest=min(nearest, default=None),
        months=_numbers(month, months),
        weekdays=() if nth else _numbers(weekday, weekdays),
        nth=nth,
        spaced=minute_star or hour_star,
        both=day_star or weekday_star,
    )


def _numbers(field: Field, values: list[int | str]) -> tuple[int, ...]:
    if "*" in values:
        return tuple(range(field.low, field.low + field.size))
    return tuple(sorted({value for value in values if isinstance(value, int)}))


def _nth(found: dict[int, Iterable[int | str]]) -> frozenset[tuple[int, int]]:
    return frozenset(
        (weekday, LAST if isinstance(number, str) else number)
        for weekday, numbers in found.items()
        for number in numbers
    )
