"""Who leads: one clock at a time, and never by what it believed before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.scheduler.leader import OVERDUE, Leader
from flow.scheduler.plan import Plan
from tests.scheduler.turning import Turning
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store

MINUTE = 60_000
EPOCH = "flow:clock:shop:epoch"


def test_one_leads_and_the_others_stand_by(clock: Turning, store: Store) -> None:
    clock.declare()
    other = Turning(store, "other")
    clock.leader.run_once()
    other.leader.run_once()
    assert leads(clock) == "1:hand"
    assert leads(other) == ""


def test_one_that_goes_is_followed_at_once(clock: Turning, store: Store) -> None:
    other = Turning(store, "other")
    clock.leader.run_once()
    clock.leader.resign()
    other.leader.run_once()
    assert leads(other) == "2:other"


def standby_of(clock: Turning, store: Store) -> Turning:
    """Have ``clock`` lead one schedule; return another that stands by."""
    other = Turning(store, "other")
    clock.declare()
    clock.leader.run_once()
    other.leader.run_once()
    assert not other.leader.token
    return other


def test_a_silent_leader_is_deposed_when_a_tick_is_overdue(
    clock: Turning, store: Store
) -> None:
    other = standby_of(clock, store)
    late = clock.rewind(2 * MINUTE)
    silent(clock)
    takes_over(other)
    other.turn()
    assert leads(other) == "2:other"
    assert clock.fired() == [late + MINUTE]


def test_a_leader_that_a_server_let_wait_is_not_deposed(
    clock: Turning, store: Store
) -> None:
    other = standby_of(clock, store)
    clock.rewind(2 * MINUTE)
    silent(clock)
    asked = clock.timetable.time() - 1000  # the server stood still since
    lead = clock.timetable.lead("other", "", OVERDUE, asked=asked)
    assert (lead.token, lead.left) == ("", OVERDUE)
    takes_over(other)
    assert leads(other) == "2:other"


def test_a_leader_without_ticks_to_make_is_not_deposed(
    clock: Turning, store: Store
) -> None:
    other = Turning(store, "other")
    clock.declare()
    clock.leader.run_once()
    silent(clock)
    other.leader.run_once()
    assert not other.leader.token


def test_a_busy_leader_is_not_deposed(clock: Turning, store: Store) -> None:
    other = Turning(store, "other")
    clock.declare(catch_up="all")
    clock.declare("behind")
    clock.leader.run_once()
    clock.rewind(2 * MINUTE)
    clock.rewind(2 * MINUTE, "behind")
    silent(clock)
    # It has made a tick call this very moment, and there is more to do.
    clock.timetable.tick(clock.leader.token, ())
    other.leader.run_once()
    assert not other.leader.token


def test_a_leader_that_comes_late_again_and_again_is_left_to_its_lease(
    clock: Turning, store: Store
) -> None:
    other = Turning(store, "other")
    clock.declare()
    for _ in range(2):
        clock.rewind(MINUTE)
        clock.turn()  # half a minute late, as on a machine that is far too busy
    clock.rewind(MINUTE)
    silent(clock)
    other.leader.run_once()
    assert not other.leader.token
    store.link.command("DEL", "flow:clock:shop:leader")
    other.leader.run_once()
    assert other.leader.token


def test_a_new_leader_has_its_time_before_the_next_one_follows(
    clock: Turning, store: Store
) -> None:
    other, third = Turning(store, "other"), Turning(store, "third")
    clock.declare()
    for one in (clock, other, third):
        one.leader.run_once()
    clock.rewind(2 * MINUTE)
    silent(clock)
    takes_over(other)
    third.leader.run_once()
    assert not third.leader.token


def test_a_former_leader_is_fenced_in_the_middle_of_its_call(
    clock: Turning, store: Store
) -> None:
    other = standby_of(clock, store)
    late = clock.rewind(MINUTE)
    waiting = clock.timetable.due(10)
    steps = Plan(waiting.due[0], waiting.now).steps()
    silent(clock)
    takes_over(other)
    other.turn()
    answers = clock.timetable.tick(clock.leader.token, steps).answers
    assert answers == ["fenced"]
    assert clock.queued() == [f"beat-{late}"]
    clock.ticker.run_once()
    assert clock.leader.run_once() > 0
    assert leads(clock) == ""


def test_a_repeated_call_changes_nothing(clock: Turning) -> None:
    clock.declare()
    clock.leader.run_once()
    late = clock.rewind(MINUTE)
    waiting = clock.timetable.due(10)
    steps = Plan(waiting.due[0], waiting.now).steps()
    token = clock.leader.token
    assert clock.timetable.tick(token, steps).answers == ["fired"]
    assert clock.timetable.tick(token, steps).answers == ["stale"]
    assert clock.queued() == [f"beat-{late}"]


def test_a_tick_that_is_early_by_the_servers_clock_is_refused(clock: Turning) -> None:
    clock.declare()
    clock.leader.run_once()
    clock.rewind(MINUTE)
    waiting = clock.timetable.due(10)
    early = Plan(waiting.due[0], waiting.now + 10 * MINUTE).steps()[-1:]
    assert early[0].what == "fire"
    step = early[0]
    clock.at(int(step.cursor))
    assert clock.timetable.tick(clock.leader.token, early).answers == ["early"]
    assert clock.queued() == []


def test_one_who_lost_the_lead_rests_before_it_tries_again(
    clock: Turning, store: Store
) -> None:
    now = [100.0]
    leader = Leader(
        clock.timetable,
        "tired",
        clock.record,
        gained=lambda: None,
        monotonic=lambda: now[0],
        chance=lambda: 0.5,
    )
    leader.run_once()
    store.link.command("DEL", "flow:clock:shop:leader")
    leader.lost()
    assert leader.run_once() == 1.5
    assert not leader.token
    now[0] += 1.6
    leader.run_once()
    assert leader.token


def test_a_standby_that_is_late_itself_is_more_patient(clock: Turning) -> None:
    now = [100.0]
    leader = Leader(
        clock.timetable,
        "slow",
        clock.record,
        gained=lambda: None,
        monotonic=lambda: now[0],
    )
    now[0] += leader.run_once() + 0.1
    assert leader.patience == OVERDUE
    now[0] += leader.run_once()
    assert leader.patience > 0.3


def silent(clock: Turning) -> None:
    """Have the last tick call of the leader lie a second back."""
    command = clock.store.link.command
    then = clock.timetable.time() - 1000
    command("HSET", "flow:clock:shop:state", "tick_at", then)


def takes_over(clock: Turning) -> None:
    """Have a clock look until it leads: again where its question was slow."""

    def look() -> str:
        clock.leader.run_once()
        return clock.leader.token

    wait_until(look, waiting_for="the lead")


def leads(clock: Turning) -> str:
    """Return the token that a clock leads by, or nothing."""
    return clock.leader.token
