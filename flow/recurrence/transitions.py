"""From the times of a local day to instants, also where the clocks change.

A wall-clock time exists once, twice (the clocks go back) or never (they go
forward). PEP 495 tells which: the offsets of fold 0 and fold 1 agree, fall, rise.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Dst = Literal["vixie", "strict", "skip"]

# Hours since midnight. Offsets that agree at all of them agree for the whole day: no
# zone changes and changes back within six hours (two changes are a week apart or more).
SAMPLES = (0, 6, 12, 18, 24)


def steady_midnight(day: date, zone: tzinfo) -> int | None:
    """Return when a day begins, or None for a day that has a change of offset.

    Returns:
        Seconds since 1970 of its midnight.
    """
    midnight = datetime.combine(day, time())
    offsets = {
        offset
        for hours in SAMPLES
        for offset in _offsets(midnight + timedelta(hours=hours), zone)
    }
    return _epoch(midnight) - offsets.pop() if len(offsets) == 1 else None


def instants(
    day: date, times: Iterable[int], zone: tzinfo, *, dst: Dst, spaced: bool
) -> tuple[int, ...]:
    """Return the instants of a day's times, rising, in seconds since 1970.

    Args:
        day: the local day.
        times: seconds since its midnight.
        zone: where it is local.
        dst: what fixed times do where the clocks change.
        spaced: whether the times are not fixed but follow the time that passes.
    """
    midnight = datetime.combine(day, time())
    both = spaced or dst == "strict"
    forward = dst == "vixie" and not spaced
    found: set[int] = set()
    for wall, first, second in _alike(_epoch(midnight), tuple(times), zone):
        if first >= second:
            found.update(local - first for local in wall)
            if both:
                found.update(local - second for local in wall)
        elif forward:
            found.add(_end_of_gap(wall[0], first, second, zone))
    return tuple(sorted(found))


def _alike(
    midnight: int, times: tuple[int, ...], zone: tzinfo
) -> Iterator[tuple[list[int], int, int]]:
    """Yield times with the two offsets that they share, a run at a time.

    By halves: a day of 86,400 times would else be half a second's work.
    """
    first, last = (_offsets(_local(midnight + times[at]), zone) for at in (0, -1))
    if first == last:
        yield [midnight + seconds for seconds in times], *first
        return
    half = len(times) // 2
    yield from _alike(midnight, times[:half], zone)
    yield from _alike(midnight, times[half:], zone)


def _offsets(local: datetime, zone: tzinfo) -> tuple[int, int]:
    """Return the offsets of the first and the second pass, in seconds."""
    first = local.replace(tzinfo=zone).utcoffset()
    second = local.replace(tzinfo=zone, fold=1).utcoffset()
    return _seconds(first), _seconds(second)


def _end_of_gap(local: int, before: int, after: int, zone: tzinfo) -> int:
    """Return the first instant after the gap that a time lies in."""
    low, high = local - after, local - before
    while high - low > 1:
        middle = (low + high) // 2
        offset = datetime.fromtimestamp(middle, zone).utcoffset()
        low, high = (low, middle) if _seconds(offset) == after else (middle, high)
    return high


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else offset // timedelta(seconds=1)


def _epoch(local: datetime) -> int:
    return int(local.replace(tzinfo=UTC).timestamp())


def _local(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None)
