"""The cron engine against a brute-force oracle, where the clocks change."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import InvalidSchedule
from flow.recurrence import Cron, zone
from tests.support.cron_oracle import Moment, changes, expected, walk

if TYPE_CHECKING:
    from datetime import tzinfo

    from flow.recurrence.transitions import Dst

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WINDOW = timedelta(hours=27)
YEARS = (datetime(2024, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))

# Where it is usual, half an hour, two hours, three; at midnight; across midnight;
# a whole day; a negative DST; each with the years that have it.
PLACES = {
    "Europe/London": YEARS,
    "America/New_York": YEARS,
    "Europe/Dublin": YEARS,
    "Australia/Lord_Howe": YEARS,
    "Antarctica/Troll": YEARS,
    "Africa/Cairo": YEARS,
    "Asia/Beirut": YEARS,
    "Asia/Gaza": YEARS,
    "America/Nuuk": YEARS,
    "Africa/Casablanca": YEARS,
    "Pacific/Chatham": YEARS,
    "America/Santiago": YEARS,
    "America/Havana": YEARS,
    "Asia/Kolkata": YEARS,
    "America/St_Johns": tuple(datetime(y, 1, 1, tzinfo=UTC) for y in (2008, 2009)),
    "America/Sao_Paulo": tuple(datetime(y, 1, 1, tzinfo=UTC) for y in (2017, 2018)),
    "Antarctica/Casey": tuple(datetime(y, 7, 1, tzinfo=UTC) for y in (2020, 2021)),
    "Antarctica/Vostok": tuple(datetime(y, 1, 1, tzinfo=UTC) for y in (1994, 1995)),
    "Pacific/Apia": tuple(datetime(y, 7, 1, tzinfo=UTC) for y in (2011, 2012)),
    "Pacific/Kwajalein": tuple(datetime(y, 1, 1, tzinfo=UTC) for y in (1993, 1994)),
}

FIXED = """
0 0 * * *|30 0 * * *|0 1 * * *|30 1 * * *|59 1 * * *|0 2 * * *|15 2 * * *|30 2 * * *
0 3 * * *|30 3 * * *|59 23 * * *|30 23 * * *|0 22 * * *|30 21 * * *|45 2 * * *
0,30 1-3 * * *|15,45 0-4 * * *|5/20 0-3 * * *|7-50/9 1,2,3 * * *|0 0,12 * * *
30 2 * * sun|30 1 * * sun|0 0 * * fri|30 0 * * 5|0 2 * 3 *|30 2 * mar,oct 0|30 1 * * 7
0 1 25-31 10 *|30 2 L * *|0 0 31 * *|0 0 1 * *|30 2 15W * *|30 1 * * L0|30 2 * * sun#2
30 2 13 * fri|30 0 1,15,L * mon|30 1 */2 * sun|30 1 1-7 * */3|59 23 L * *|0 4 * * 1-5
0 3 * * 5-7|30 2 W29 * *|30 0 * * fri#5|1 0 * * *|0-59/7 2 * * *|0-59 0-23 * * *
"""
SPACED = """
* * * * *|*/5 * * * *|*/7 * * * *|0 * * * *|30 * * * *|17,47 * * * *|* 1 * * *|* 2 * * *
*/15 2 * * *|*/20 0 * * *|*/30 23 * * *|0 */2 * * *|15 */3 * * *|* */5 * * sun
*/10 1-3 * * *|45 * * * sun|*/25 * 29-31 * *|*/11 0-2 * * fri,sun|* * L * *|0 * 1 * *
"""


def expressions(text: str) -> list[str]:
    return [item for line in text.split("\n") for item in line.split("|") if item]


@cache
def places(name: str) -> list[tuple[datetime, list[Moment]]]:
    """The walks around each change of a zone; around a usual week if it has none."""
    where, (start, end) = zone(name), PLACES[name]
    found = changes(where, start, end) or [datetime(2025, 3, 30, 1, tzinfo=UTC)]
    return [(at, walk(where, at - WINDOW, at + WINDOW, MINUTE)) for at in found]


def mismatch(cron: Cron, ticks: list[int], moments: list[Moment]) -> str | None:
    """Say where the engine's ticks during a walk differ, or None."""
    start = datetime.fromtimestamp(moments[0].utc, UTC)
    end = datetime.fromtimestamp(moments[-1].utc, UTC) + timedelta(seconds=1)
    own = [int(tick.timestamp()) for tick in cron.between(start, end)]
    if own == ticks:
        return None
    wrong = min(set(own) ^ set(ticks))
    kind = "an extra" if wrong in own else "no"
    return f"{cron}: {kind} tick at {datetime.fromtimestamp(wrong, cron.tz)!r}"


def misstep(cron: Cron, ticks: list[int], around: list[Moment]) -> str | None:
    """Say from which minute the engine, started there, goes elsewhere, or None."""
    for moment in around:
        asked = datetime.fromtimestamp(moment.utc, UTC)
        index = bisect_right(ticks, moment.utc)
        if index < len(ticks):
            found = cron.next_after(asked)
            if found.timestamp() != ticks[index]:
                return f"{cron}: asked at {asked}, answered {found!r}"
    return None


def inside(at: datetime, moments: list[Moment], zone: tzinfo) -> list[Moment]:
    """Return the minutes of a walk that a change makes special."""
    before, after = ((at + by).astimezone(zone) for by in (-MINUTE, MINUTE))
    shift = abs((after.utcoffset() or HOUR) - (before.utcoffset() or HOUR))
    low, high = (at + by for by in (-shift - HOUR / 2, shift + HOUR / 2))
    step = 1 if shift < 4 * HOUR else 7  # a day skipped need not be asked each minute
    near = [m for m in moments if low.timestamp() <= m.utc < high.timestamp()]
    return near[::step]


@pytest.mark.parametrize("dst", ["vixie", "strict", "skip"])
@pytest.mark.parametrize("name", PLACES)
def test_the_ticks_around_each_change_of_the_clocks_are_the_oracles(
    name: str, dst: Dst
) -> None:
    # The default has them all; the other two differ from it for fixed times only.
    fixed, spaced = expressions(FIXED), expressions(SPACED)
    chosen = fixed + spaced if dst == "vixie" else fixed[::3]
    crons = [Cron(expression, name, dst=dst) for expression in chosen]
    wrong: list[str | None] = []
    for at, moments in places(name):
        near = inside(at, moments, zone(name))
        for cron in crons:
            ticks = expected(cron.expression, moments, dst)
            wrong.append(mismatch(cron, ticks, moments) or misstep(cron, ticks, near))
    assert len(wrong) >= len(chosen)
    assert not list(filter(None, wrong))


@pytest.mark.parametrize("dst", ["strict", "skip"])
def test_spaced_times_are_the_same_in_every_mode(dst: Dst) -> None:
    start, end = datetime(2025, 3, 29, tzinfo=UTC), datetime(2025, 3, 31, tzinfo=UTC)
    for expression in expressions(SPACED):
        plain = Cron(expression, "Europe/Berlin")
        other = Cron(expression, "Europe/Berlin", dst=dst)
        assert list(plain.between(start, end)) == list(other.between(start, end))


def test_every_zone_of_the_database_agrees_with_the_oracle() -> None:
    start, end = datetime(2025, 7, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    seen: set[tuple[object, ...]] = set()
    wrong: list[str | None] = []
    names = (n for n in sorted(available_timezones()) if n != "localtime")
    for name in names:
        where = zone(name)
        for at in changes(where, start, end):
            local, offset = at.astimezone(where), (at - MINUTE).astimezone(where)
            kind = (local.isoformat(), offset.utcoffset())
            if kind in seen:
                continue
            seen.add(kind)
            moments = walk(where, at - 26 * HOUR, at + 26 * HOUR, MINUTE)
            for expression in ("30 2 * * *", "15 0 * * *", "*/20 * * * *"):
                ticks = expected(expression, moments)
                wrong.append(mismatch(Cron(expression, name), ticks, moments))
    assert len(seen) > 20
    assert not list(filter(None, wrong))


@pytest.mark.parametrize("name", ["Europe/London", "Australia/Lord_Howe"])
@pytest.mark.parametrize("dst", ["vixie", "strict", "skip"])
def test_seconds_agree_with_the_oracle(name: str, dst: Dst) -> None:
    second = timedelta(seconds=1)
    chosen = ["*/20 30 1,2 * * *", "5 0 2 * * *", "15,45 */10 * * * *", "* 59 1 * * *"]
    for at in changes(zone(name), *YEARS):
        moments = walk(zone(name), at - 3 * HOUR, at + 3 * HOUR, second)
        for expression in chosen:
            cron = Cron(expression, name, dst=dst)
            ticks = expected(expression, moments, dst)
            assert mismatch(cron, ticks, moments) is None
            assert misstep(cron, ticks, moments[::601]) is None


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """Draw a field's text: anything that both readers accept."""
    value = st.integers(low, high).map(str)
    pair = st.tuples(st.integers(low, high), st.integers(low, high))
    span = pair.filter(lambda p: p[0] < p[1]).map(lambda p: f"{p[0]}-{p[1]}")
    step = st.integers(1, high).map(lambda n: f"/{n}")
    stepped = st.tuples(span, step).map("".join)
    one = st.one_of(value, span, stepped)
    listed = st.lists(one, min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), step.map(lambda text: f"*{text}"), listed)


TEXTS = st.tuples(
    field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(
    expression=TEXTS,
    name=st.sampled_from(sorted(PLACES)),
    dst=st.sampled_from(("vixie", "strict", "skip")),
    pick=st.integers(0, 9),
)
def test_any_expression_agrees_with_the_oracle(
    expression: str, name: str, dst: Dst, pick: int
) -> None:
    try:
        cron = Cron(expression, name, dst=dst)
    except InvalidSchedule as error:
        assert "never fires" in str(error)  # noqa: PT017  (most draws do not raise)
        return
    at, moments = places(name)[pick % len(places(name))]
    ticks = expected(expression, moments, dst)
    assert mismatch(cron, ticks, moments) is None
    assert misstep(cron, ticks, inside(at, moments, zone(name))[::5]) is None


DAYS = """
* * *|L * *|1,L 2 *|15W * *|W1 * *|31W * *|W30 2 *|* * sun#1|* * fri#5|* * 7#2,mon#4
* * L0|* * L7|* * L3,tue#1|13 * fri|*/2 * mon|1-7 * */2|29 2 *|29 2 mon|31 * *|30 */2 *
? * 1-5|1 * ?|L * sun#1|15W 1-6 sat|* feb,dec 0-7|*/10 * 6-7|28-31 2 L5|5/9 3/4 *
"""


@pytest.mark.parametrize("first", [1999, 2023, 2096])
def test_the_days_of_ten_years_are_the_oracles(first: int) -> None:
    start, end = (datetime(year, 1, 1, 12, tzinfo=UTC) for year in (first, first + 10))
    moments = walk(UTC, start, end, timedelta(days=1))
    for days in expressions(DAYS):
        cron = Cron(f"0 12 {days}")
        ticks = expected(f"0 12 {days.replace('?', '*')}", moments)
        assert ticks
        assert mismatch(cron, ticks, moments) is None
