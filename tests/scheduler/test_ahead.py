"""What many schedules do at one instant is planned before it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow.scheduler.ahead import CROWD, Ahead
from tests.scheduler.turning import Turning
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from flow.store.entry import Step

SECONDS = 1000  # ms


@pytest.fixture
def crowd(clock: Turning) -> int:
    """Schedules of a minute that share an instant to come; return when it is."""
    for n in range(CROWD):
        clock.declare(f"beat-{n}")
    clock.leader.run_once()
    return meet(clock, within=9 * SECONDS)


def meet(clock: Turning, within: int) -> int:
    """Have all be due at one instant, within so many ms; return when it is."""
    instant = clock.timetable.time() + within
    for n in range(CROWD):
        clock.at(instant, f"beat-{n}")
    return instant


def planned(clock: Turning) -> list[Step]:
    """Return what is planned ahead, as if the server's clock had got there."""
    ahead = Ahead(clock.timetable, clock.record)
    waiting = clock.timetable.due(1, 10 * SECONDS)
    while ahead.plan(waiting.now, waiting.crowd):
        pass
    go_ahead(clock)
    return ahead.take(10 * CROWD)


def go_ahead(clock: Turning) -> None:
    """Have a clock believe that the server's clock is ten seconds further."""
    clock.record.earliest = lambda: clock.timetable.time() + 10 * SECONDS  # type: ignore[method-assign]


def test_a_crowd_is_planned_ahead(clock: Turning, crowd: int) -> None:
    steps = planned(clock)
    assert {step.due.id for step in steps} == {f"beat-{n}" for n in range(CROWD)}
    assert {(step.first, step.what) for step in steps} == {(crowd, "fire")}


def test_what_is_planned_ahead_is_not_early(clock: Turning, crowd: int) -> None:
    assert crowd
    answers = clock.timetable.tick(clock.leader.token, planned(clock)).answers
    assert set(answers) == {"early"}
    assert clock.queued() == []


def test_one_that_stands_by_has_it_planned_when_it_takes_over(
    clock: Turning, store: Store, crowd: int
) -> None:
    assert crowd
    standby = Turning(store, "standby")
    standby.leader.run_once()
    assert not standby.leader.token
    wait_until(lambda: standby.ticker.run_once() > 0, waiting_for="its plan")
    clock.leader.resign()
    standby.leader.run_once()
    go_ahead(standby)
    before = clock.timetable.due(0).serial
    standby.ticker.run_once()
    # A call of tick: nothing is due, so it was for what had been planned.
    assert clock.timetable.due(0).serial > before


def test_a_plan_of_what_others_took_is_left_behind(clock: Turning, crowd: int) -> None:
    ahead = Ahead(clock.timetable, clock.record)
    waiting = clock.timetable.due(1, 10 * SECONDS)
    wait_until(
        lambda: not ahead.plan(waiting.now, waiting.crowd), waiting_for="the plan"
    )
    ahead.leave(crowd + 1)
    go_ahead(clock)
    assert ahead.take(CROWD) == []


def test_what_was_edited_meanwhile_is_stale(
    clock: Turning, store: Store, crowd: int
) -> None:
    steps = planned(clock)
    clock.declare("beat-7", word="another")
    clock.at(crowd, "beat-7")
    store.link.command("HSET", "flow:clock:shop:schedule:beat-8", "paused", "now")
    answers = clock.timetable.tick(clock.leader.token, steps).answers
    at = {step.due.id: answer for step, answer in zip(steps, answers, strict=True)}
    assert at["beat-7"] == at["beat-8"] == "stale"


def test_a_plan_that_lapsed_is_stale(clock: Turning, crowd: int) -> None:
    steps = planned(clock)
    ticked = clock.timetable.tick(clock.leader.token, steps, valid_until=crowd - 60_000)
    assert set(ticked.answers) == {"stale"}


def test_a_crowd_that_was_planned_ahead_fires_once(clock: Turning, crowd: int) -> None:
    assert crowd
    instant = meet(clock, within=SECONDS)
    clock.turn()
    while clock.timetable.time() < instant:
        clock.ticker.run_once()
    clock.turn()
    expected = {f"beat-{n}-{instant}" for n in range(CROWD)}
    assert set(clock.queued()) == expected
    assert len(clock.queued()) == CROWD
