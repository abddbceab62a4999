from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flow.runner.processes.backoff import CAP, delay

CHANCE = st.floats(0, 1)


def test_the_first_restart_is_at_once_and_each_next_one_waits_twice_as_long() -> None:
    assert [delay(failures, 1.0) for failures in range(1, 6)] == [0, 1, 2, 4, 8]


@given(st.integers(2, 10**9), CHANCE)
def test_the_wait_is_capped_and_never_less_than_half(
    failures: int, chance: float
) -> None:
    wait = delay(failures, chance)
    assert delay(failures, 1.0) / 2 <= wait <= delay(failures, 1.0) <= CAP
