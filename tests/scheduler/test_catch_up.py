"""After a downtime: which missed ticks become jobs, and why the others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow.errors import InvalidSchedule
from flow.registry import Policy
from flow.schedules.rules import delay
from flow.store.entry import Rule

if TYPE_CHECKING:
    from tests.scheduler.turning import Turning

MINUTE = 60_000


def test_the_latest_of_ten_missed_ticks_is_enqueued(clock: Turning) -> None:
    clock.declare()
    first = clock.rewind(10 * MINUTE)
    clock.turn()
    assert clock.fired() == [first + 9 * MINUTE]
    assert clock.left_out() == {"missed": 9}
    assert clock.stands() == first + 10 * MINUTE


def test_skip_enqueues_none_of_them(clock: Turning) -> None:
    clock.declare(rule=Rule("every", "3600"), catch_up="skip")
    first = clock.rewind(10 * 60 * MINUTE)
    clock.turn()
    # Unless this very moment is within seconds of a full hour.
    assert clock.fired() in ([], [first + 9 * 60 * MINUTE])
    assert clock.left_out()["missed"] == 10 - len(clock.fired())


def test_skip_enqueues_a_tick_that_is_not_late(clock: Turning) -> None:
    clock.declare(catch_up="skip", rule=Rule("every", "1"))
    now = clock.timetable.time() // 1000 * 1000
    clock.at(now - 3000)
    clock.turn()
    assert clock.fired()[0] >= now
    assert clock.left_out() == {"missed": 3 + (clock.fired()[0] - now) // 1000}


def test_all_enqueues_each_of_them(clock: Turning) -> None:
    clock.declare(catch_up="all")
    first = clock.rewind(10 * MINUTE)
    clock.turn()
    assert clock.fired() == [first + n * MINUTE for n in range(10)]
    assert clock.left_out() == {}
    assert clock.queued() == [f"beat-{tick}" for tick in clock.fired()]


def test_all_has_a_maximum_of_which_the_latest_count(clock: Turning) -> None:
    clock.declare(catch_up="all", maximum=3)
    first = clock.rewind(10 * MINUTE)
    clock.turn()
    assert clock.fired() == [first + n * MINUTE for n in (7, 8, 9)]
    assert clock.left_out() == {"maximum": 7}


def test_a_window_leaves_out_what_is_too_old(clock: Turning) -> None:
    clock.declare(catch_up="all", window=5 * 60)
    first = clock.rewind(10 * MINUTE)
    clock.turn()
    assert clock.fired() == [first + n * MINUTE for n in (5, 6, 7, 8, 9)]
    assert clock.left_out() == {"window": 5}
    assert clock.ledger()[0].until == first + 4 * MINUTE


def test_a_downtime_of_thousands_of_ticks_is_counted_exactly(clock: Turning) -> None:
    clock.declare(rule=Rule("cron", "* * * * *"))
    clock.rewind(7 * 24 * 60 * MINUTE)
    clock.turn()
    assert len(clock.fired()) == 1
    assert clock.left_out() == {"missed": 7 * 24 * 60 - 1}


def test_jitter_delays_each_tick_by_a_share_of_its_own(clock: Turning) -> None:
    clock.declare(jitter=30, catch_up="all")
    assert 0 <= clock.wakes() - clock.stands() < 30_000
    first = clock.rewind(10 * MINUTE)
    clock.turn()
    assert clock.fired()[:8] == [first + n * MINUTE for n in range(8)]
    late = {note.late for note in clock.ledger()}
    assert len({one % MINUTE for one in late if one is not None}) > 3


def test_a_schedule_that_is_looked_at_before_its_jitter_waits_for_it(
    clock: Turning,
) -> None:
    clock.declare(jitter=59)
    now = clock.timetable.time()
    cursor = next(n for n in range(now, 0, -1) if delay("beat", n, 59) > 30_000)
    clock.at(cursor)
    clock.turn()
    assert clock.fired() == []
    # Else a standby would take it for overdue, and depose a leader that is well.
    assert clock.wakes() == cursor + delay("beat", cursor, 59)


def test_a_jitter_that_reaches_the_next_tick_is_refused(clock: Turning) -> None:
    with pytest.raises(InvalidSchedule, match="jitter=60 is not below the 60 s"):
        clock.declare(jitter=60)
    with pytest.raises(InvalidSchedule, match="jitter=3600"):
        clock.declare(rule=Rule("cron", "0,30 * * * *"), jitter=3600)


@pytest.mark.parametrize(
    "policy",
    [
        {"catch_up": "sometimes"},
        {"overlap": "maybe"},
        {"on_data_loss": "cry"},
        {"window": -1},
        {"jitter": float("nan")},
        {"maximum": -1},
    ],
)
def test_a_policy_that_cannot_be_is_refused(policy: dict[str, object]) -> None:
    with pytest.raises(InvalidSchedule, match=next(iter(policy))):
        Policy(**policy)  # type: ignore[arg-type]  # the case
