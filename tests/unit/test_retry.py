"""Backoff."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from flow import retry
from tests.support.apps import RQ


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_retry_waits_between_two_seconds_and_an_hour_and_a_quarter(
    attempt: int, chance: float
) -> None:
    assert 2 <= retry.exponential(attempt, lambda: chance) <= 3600 * 1.25


@given(st.integers(1, 100))
def test_without_chance_each_retry_waits_twice_as_long_up_to_an_hour(
    attempt: int,
) -> None:
    now, then = (retry.exponential(n, lambda: 0.0) for n in (attempt, attempt + 1))
    assert then == min(3600, now * 2)


def test_chance_adds_up_to_a_quarter() -> None:
    delays = [retry.exponential(3, partial(float, by)) for by in (0.0, 0.5, 1.0)]
    assert delays == [8.0, 9.0, 10.0]
    assert len({retry.exponential(3) for _ in range(20)}) > 1


@given(st.integers(1, 8), st.lists(st.integers(0, 3600), max_size=5))
def test_intervals_are_read_as_rq_reads_them(times: int, intervals: list[int]) -> None:
    job = RQ.job.Job.__new__(RQ.job.Job)
    job.retry_intervals = RQ.Retry(max=times, interval=intervals or 0).intervals
    for left in range(times, 0, -1):
        job.retries_left = left
        seconds = retry.from_intervals(job.retry_intervals, left)
        assert seconds == job.get_retry_interval()


def test_no_intervals_are_no_wait() -> None:
    assert retry.from_intervals([], 3) == 0
