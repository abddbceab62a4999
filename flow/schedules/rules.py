"""From what a timetable says to the ticks that it means; pure."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from flow.errors import InvalidSchedule
from flow.recurrence import Cron, Every
from flow.registry import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.recurrence.transitions import Dst
    from flow.store.entry import Rule

SAMPLE = 50  # ticks whose distances a jitter must fit


def recurrence(rule: Rule, schedule: str) -> Cron | Every:
    """Return what steps through a rule's ticks.

    Args:
        rule: when it recurs.
        schedule: its id, from which H draws.

    Raises:
        InvalidSchedule: another release wrote what this one cannot read.
    """
    # Thousands of schedules may share an expression, which takes long to read.
    return _read(rule, schedule if "h" in rule.spec.lower() else "")


@cache
def _read(rule: Rule, schedule: str) -> Cron | Every:
    if rule.kind == "every":
        seconds, _, anchor = rule.spec.partition("@")
        return Every(_number(seconds), _anchor(anchor))
    if rule.kind == "cron":
        dst: Dst = rule.dst  # type: ignore[assignment]  # Cron checks it
        return Cron(rule.spec, tz=rule.tz or None, dst=dst, id=schedule or "none")
    raise InvalidSchedule(f"no release of flow here knows schedules of {rule.kind!r}")


def _number(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError:
        raise InvalidSchedule(f"{text!r} is no number of seconds") from None


def _anchor(text: str) -> datetime:
    try:
        return to_moment(int(_number(text)))
    except (ValueError, OverflowError):
        raise InvalidSchedule(f"{text!r} is no instant, in ms since 1970") from None


@cache
def policy(text: str) -> Policy:
    """Return the policy that ``text`` holds.

    Raises:
        InvalidSchedule: another release wrote what this one cannot read.
    """
    try:
        return Policy(**json.loads(text or "{}"))
    except (TypeError, ValueError) as error:
        raise InvalidSchedule(f"a policy that is not known here: {error}") from None


def policy_text(chosen: Policy) -> str:
    """Return a policy as text: what differs from the default, in a fixed order."""
    default = asdict(Policy())
    differs = {k: v for k, v in asdict(chosen).items() if v != default[k]}
    return json.dumps(differs, sort_keys=True)


@lru_cache(4096)
def following(rule: Cron | Every, tick: int) -> int | None:
    """Return the first tick after ``tick``, in ms since 1970, or None."""
    try:
        return to_ms(rule.next_after(to_moment(tick)))
    except InvalidSchedule:
        return None


def forget() -> None:
    """Have rules be read anew, by the time zone data that is in use now."""
    _read.cache_clear()
    following.cache_clear()


def from_on(rule: Cron | Every, start: int, end: int) -> Iterator[int]:
    """Yield the ticks from ``start`` to ``end``, both included, in ms since 1970."""
    for moment in rule.between(to_moment(start), to_moment(end + 1)):
        tick = to_ms(moment)
        if start <= tick <= end:
            yield tick


def delay(schedule: str, tick: int, jitter: float) -> int:
    """Return the ms by which a tick's job is late on purpose; always the same ones."""
    if not jitter:
        return 0
    drawn = hashlib.sha256(f"{schedule}-{tick}".encode()).digest()
    return int.from_bytes(drawn[:6], "big") * round(jitter * 1000) >> 48


def check_jitter(rule: Cron | Every, jitter: float, now: int) -> None:
    """Refuse a jitter that would carry a tick beyond the next one.

    Raises:
        InvalidSchedule: it is not smaller than the distance of two ticks.
    """
    if not jitter:
        return
    tick = following(rule, now)
    for _ in range(SAMPLE):
        later = None if tick is None else following(rule, tick)
        if tick is None or later is None:
            return
        if jitter * 1000 >= later - tick:
            raise InvalidSchedule(
                f"jitter={jitter:g} is not below the {(later - tick) / 1000:g} s "
                f"between two ticks of {rule.describe()!r}"
            )
        tick = later


def to_moment(ms: int) -> datetime:
    """Return ms since 1970 as an instant."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """Return an instant as ms since 1970, rounded up: no tick is early."""
    return math.ceil(round(moment.timestamp() * 1000, 3))
