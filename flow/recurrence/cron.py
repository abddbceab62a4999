"""Recurrence by a cron expression in a time zone."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, get_args
from zoneinfo import ZoneInfo

from flow.errors import InvalidSchedule
from flow.recurrence.days import Days
from flow.recurrence.expression import read
from flow.recurrence.moments import microseconds
from flow.recurrence.times import Times
from flow.recurrence.transitions import Dst, instants, steady_midnight
from flow.recurrence.words import sentence
from flow.recurrence.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = timedelta(days=1)
SECOND = 1_000_000  # microseconds
PLANS_KEPT = 64
# An expression that fires fires in these fifty years too: the rarest, a weekday
# that is 29 February, returns within forty.
LATE = int(datetime(2151, 1, 1, tzinfo=UTC).timestamp())

# When a day begins, or all its ticks where its offset changes.
Plan = int | tuple[int, ...]


class Cron:
    """The instants that a cron expression means in a time zone.

    Immutable, and safe to use from many threads. docs/cron.md has every rule.

    Args:
        expression: five fields (minute, hour, day of month, month, day of week), six
            with the seconds first, or a nickname such as ``@daily``.
        tz: the zone whose wall clock it follows: a name, or a tzinfo; None is UTC.
        dst: what fixed times do where the clocks change. ``vixie``: in a gap they
            run right after it, in a repeated hour once. ``strict``: as the wall clock
            shows them, so never in a gap and twice in a repeated hour. ``skip``: never
            in a gap, once in a repeated hour. Times with ``*`` in minute or hour keep
            their spacing in each of them.
        id: what H draws from; give each schedule its own.

    Raises:
        InvalidSchedule: the expression, the zone or ``dst`` is wrong or unclear, or
            the expression never fires.
    """

    __slots__ = (
        "_days",
        "_dst",
        "_expression",
        "_fields",
        "_id",
        "_plans",
        "_times",
        "_tz",
    )

    def __init__(
        self,
        expression: str,
        tz: str | tzinfo | None = None,
        *,
        dst: Dst = "vixie",
        id: str | None = None,  # noqa: A002  (the word that users read; never used as a function here)
    ) -> None:
        """Read and check it."""
        if dst not in get_args(Dst):
            raise InvalidSchedule(f"dst={dst!r}: write 'vixie', 'strict' or 'skip'")
        self._expression = " ".join(expression.split())
        self._tz = _resolve(tz)
        self._dst: Dst = dst
        self._id = id
        self._fields = read(self._expression, id)
        self._days = Days(self._fields)
        self._times = Times(self._fields)
        self._plans: dict[date, Plan] = {}
        if self._next(LATE) is None:
            raise InvalidSchedule(f"cron {self._expression!r} {self._never()}")

    @property
    def expression(self) -> str:
        """The expression, with single spaces."""
        return self._expression

    @property
    def tz(self) -> tzinfo:
        """The zone whose wall clock it follows."""
        return self._tz

    @property
    def dst(self) -> Dst:
        """What fixed times do where the clocks change."""
        return self._dst

    @property
    def id(self) -> str | None:
        """What H draws from."""
        return self._id

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick later than an aware instant.

        Returns:
            A datetime in the schedule's zone, with the fold set in a repeated hour.
            Compare such datetimes in UTC: Python ignores the fold within one zone.

        Raises:
            NaiveDatetime: the instant has no time zone.
            InvalidSchedule: the instant or the tick is outside 1970 to 2200.
        """
        tick = self._next(microseconds(moment) // SECOND)
        if tick is None:
            raise InvalidSchedule(
                f"cron {self._expression!r} has no tick after {moment} to 2200"
            )
        return datetime.fromtimestamp(tick, self._tz)

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the ticks from ``start``, itself included, to before ``end``.

        Yields:
            Datetimes in the schedule's zone, rising.

        Raises:
            NaiveDatetime: an instant has no time zone.
            InvalidSchedule: an instant is outside 1970 to 2200.
        """
        return self._ticks(microseconds(start), microseconds(end))

    def describe(self) -> str:
        """Return it in words: ``at 07:00 on Monday to Friday, Europe/London``."""
        return f"{sentence(self._fields)}, {self._tz}"

    def _ticks(self, start: int, end: int) -> Iterator[datetime]:
        tick = self._next((start - 1) // SECOND)
        while tick is not None and tick * SECOND < end:
            yield datetime.fromtimestamp(tick, self._tz)
            tick = self._next(tick)

    def _next(self, after: int) -> int | None:
        """Return the first tick later than so many seconds since 1970, or None."""
        today = datetime.fromtimestamp(max(after, 0), self._tz).date()
        best: int | None = None
        # Where clocks go back over midnight, the ticks of two days are interleaved:
        # the first tick is known when yesterday, today and tomorrow were asked.
        for day in self._days.since(today - DAY):
            if best is not None and day > today + DAY:
                break
            tick = self._after(after, day)
            if tick is not None and (best is None or tick < best):
                best = tick
        return best

    def _after(self, after: int, day: date) -> int | None:
        """Return the first tick of a local day that is later, or None."""
        plan = self._plan(day)
        if isinstance(plan, int):
            found = self._times.after(after - plan)
            return None if found is None else plan + found
        later = bisect_right(plan, after)
        return plan[later] if later < len(plan) else None

    def _plan(self, day: date) -> Plan:
        plan = self._plans.get(day)
        if plan is None:
            plan = steady_midnight(day, self._tz)
            if plan is None:
                spaced = self._fields.spaced
                plan = instants(
                    day, self._times, self._tz, dst=self._dst, spaced=spaced
                )
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            self._plans[day] = plan
        return plan

    def _never(self) -> str:
        if next(self._days.since(date(2151, 1, 1)), None) is None:
            return "never fires: no date matches; check its day and month"
        return (
            f"never fires in {self._tz}: its times fall where the clocks go forward;"
            " use dst='vixie' or another hour"
        )

    def _key(self) -> tuple[object, ...]:
        return self._expression.lower(), self._tz, self._dst, self._id

    def __eq__(self, other: object) -> bool:
        """Two are equal when they were made from equal arguments."""
        return isinstance(other, Cron) and self._key() == other._key()

    def __hash__(self) -> int:
        """Equal ones have equal hashes."""
        return hash(self._key())

    def __repr__(self) -> str:
        """Show how to make it."""
        given = f", tz={str(self._tz)!r}"
        if self._dst != "vixie":
            given += f", dst={self._dst!r}"
        if self._id is not None:
            given += f", id={self._id!r}"
        return f"Cron({self._expression!r}{given})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the arguments; what was worked out is worked out anew."""
        return _rebuild, (self._expression, self._tz, self._dst, self._id)


def _rebuild(expression: str, tz: tzinfo, dst: Dst, id_: str | None) -> Cron:
    return Cron(expression, tz, dst=dst, id=id_)


def _resolve(tz: str | tzinfo | None) -> tzinfo:
    """Return the zone that is meant, from the newest data where it has a name."""
    if tz is None or tz is UTC:
        return zone("UTC")
    if isinstance(tz, str):
        return zone(tz)
    # pytz names its zones so; as they stand they give the offsets of 1900.
    name = tz.key if isinstance(tz, ZoneInfo) else getattr(tz, "zone", None)
    return zone(name) if isinstance(name, str) else tz
