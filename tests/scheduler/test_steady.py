"""When the server's clock jumps, nothing is believed until it is back, or for long."""

from __future__ import annotations

import pytest

from flow.upkeep.steady import Steady

START = 1_795_400_000_000  # ms since 1970


class Watch:
    """A Steady whose uptime goes on as a test says."""

    def __init__(self) -> None:
        self.uptime = 50.0
        self.steady = Steady(lambda: self.uptime, hold=300)

    def check(self, after: float, server: float, took: float = 0.0) -> bool:
        """Ask ``after`` seconds; the server says START and so many seconds."""
        self.uptime += after
        self.steady.ask()
        self.uptime += took
        return self.steady.check(START + round(server * 1000))


@pytest.fixture
def watch() -> Watch:
    """One that has seen the server's time once."""
    watch = Watch()
    assert watch.check(0, 0)
    return watch


def test_time_that_goes_on_is_believed(watch: Watch) -> None:
    assert all(watch.check(1, n) for n in range(1, 100))


def test_a_clock_that_is_set_right_slowly_is_believed(watch: Watch) -> None:
    assert all(watch.check(1, n * 1.5) for n in range(1, 100))


@pytest.mark.parametrize("jump", [3600, -3600, 6, -6])
def test_a_jump_is_held_until_it_is_undone(watch: Watch, jump: float) -> None:
    assert not watch.check(1, 1 + jump)
    assert not watch.check(100, 101 + jump)
    assert watch.check(1, 102)


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_jump_that_stays_is_believed_after_five_minutes(
    watch: Watch, jump: float
) -> None:
    assert not watch.check(1, 1 + jump)
    assert not watch.check(299, 300 + jump)
    assert watch.check(2, 302 + jump)
    assert watch.check(1, 303 + jump)


def test_a_reply_that_was_long_under_way_is_no_jump(watch: Watch) -> None:
    # We were stopped between question and answer: it is old, not wrong.
    assert watch.check(1, 1.5, took=30)
    assert watch.check(1, 32)


def test_the_latest_time_that_is_believed_goes_on(watch: Watch) -> None:
    watch.uptime += 10
    assert watch.steady.latest() == START + 15_000
    assert Steady().latest() is None
