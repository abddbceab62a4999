"""Every: intervals that never drift."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import InvalidSchedule, NaiveDatetime
from flow.recurrence import Every

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_ticks_are_multiples_of_the_interval_since_1970() -> None:
    assert Every(30).next_after(NOON) == NOON + 30 * SECOND
    assert Every(30).next_after(NOON + 29.9 * SECOND) == NOON + 30 * SECOND
    assert Every(3600).next_after(NOON - SECOND) == NOON
    assert int(Every(7).next_after(NOON).timestamp()) % 7 == 0


def test_an_anchor_moves_them_all() -> None:
    anchor = datetime(2026, 1, 1, 9, 5, tzinfo=timezone(timedelta(hours=2)))
    every = Every(86400, anchor)
    assert every.next_after(NOON).isoformat() == "2026-03-29T07:05:00+00:00"
    assert every.next_after(anchor - 3 * SECOND) == anchor
    before = datetime(2025, 1, 1, tzinfo=UTC)
    assert every.next_after(before).isoformat() == "2025-01-01T07:05:00+00:00"


def test_between_has_its_start_and_not_its_end() -> None:
    found = list(Every(30).between(NOON, NOON + 60 * SECOND))
    assert found == [NOON, NOON + 30 * SECOND]
    assert list(Every(30).between(NOON, NOON)) == []


def test_a_fraction_does_not_drift() -> None:
    found = list(Every(1.1).between(NOON, NOON + 1100 * SECOND))
    assert len(found) == 1000
    assert found[-1] - found[0] == 1098.9 * SECOND


@settings(max_examples=200, deadline=None)
@given(
    seconds=st.floats(1, 10_000_000),
    moment=st.datetimes(
        datetime(1970, 1, 1),  # noqa: DTZ001  (hypothesis adds the zone)
        datetime(2199, 1, 1),  # noqa: DTZ001  (likewise)
        timezones=st.just(UTC),
    ),
)
def test_the_next_tick_is_later_by_at_most_the_interval(
    seconds: float, moment: datetime
) -> None:
    every = Every(seconds)
    tick = every.next_after(moment)
    assert timedelta(0) < tick - moment <= timedelta(seconds=seconds)
    assert every.next_after(tick) - tick == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [0, 0.999, -5, 1e10, float("nan"), float("inf")])
def test_an_interval_that_cannot_be_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidSchedule, match="from 1 second to ten years"):
        Every(seconds)


def test_naive_datetimes_are_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  (the case)
    with pytest.raises(NaiveDatetime):
        Every(30, naive)
    with pytest.raises(NaiveDatetime):
        Every(30).next_after(naive)
    with pytest.raises(NaiveDatetime):
        Every(30).between(NOON, naive)


def test_years_outside_the_range_are_refused() -> None:
    with pytest.raises(InvalidSchedule, match="1970 to 2200"):
        Every(30).next_after(datetime(1969, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidSchedule, match="no tick after"):
        Every(30).next_after(datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC))


def test_it_is_a_value() -> None:
    every = Every(30, NOON)
    assert pickle.loads(pickle.dumps(every)) == every  # noqa: S301  (our own bytes)
    assert len({every, Every(30, NOON), Every(30)}) == 2
    with pytest.raises(AttributeError):
        every.seconds = 5  # type: ignore[misc]  # the case


@pytest.mark.parametrize(
    ("every", "words"),
    [
        (Every(1), "every second"),
        (Every(30), "every 30 seconds"),
        (Every(90), "every 90 seconds"),
        (Every(1.5), "every 1.5 seconds"),
        (Every(60), "every minute"),
        (Every(300), "every 5 minutes"),
        (Every(7200), "every 2 hours"),
        (Every(86400), "every day"),
        (Every(30, NOON), "every 30 seconds, counted from 2026-03-28 12:00:00 UTC"),
    ],
)
def test_it_is_described(every: Every, words: str) -> None:
    assert every.describe() == words
