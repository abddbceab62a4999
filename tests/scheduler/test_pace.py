"""How many steps a call takes follows from what the calls before took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow.scheduler.pace import LEAST, MOST, Pace
from flow.scheduler.plan import Plan

if TYPE_CHECKING:
    from tests.scheduler.turning import Turning


def paced(step: float) -> Pace:
    """Return a pace that has seen ten calls whose steps take so many seconds."""
    pace = Pace(budget=0.002)
    for _ in range(10):
        pace.took(pace.steps, pace.steps * step)
    return pace


@pytest.mark.parametrize(
    ("step", "steps"), [(10e-6, MOST), (40e-6, 50), (1e-3, LEAST), (0.0, MOST)]
)
def test_a_call_has_as_many_steps_as_fit_the_budget(step: float, steps: int) -> None:
    assert paced(step).steps == pytest.approx(steps, abs=1)


def test_one_call_that_was_held_up_changes_nothing() -> None:
    pace = paced(40e-6)
    before = pace.steps
    pace.took(before, 3.0)
    assert pace.steps == before


def test_a_server_that_gets_slow_is_asked_for_less() -> None:
    pace = paced(10e-6)
    for _ in range(3):
        pace.took(pace.steps, pace.steps * 80e-6)
    assert pace.steps == 25


def test_a_call_of_few_steps_says_nothing_of_a_step() -> None:
    pace = paced(10e-6)
    for _ in range(5):
        pace.took(1, 0.5)
    assert pace.steps == MOST


def test_the_server_says_what_a_call_took_of_its_processor(clock: Turning) -> None:
    if not clock.store.link.command("EVAL", "return rawget(_G, 'os') and 1", 0):
        pytest.skip("this server tells scripts nothing of it, as Redis before 7.4")
    clock.declare(catch_up="all")
    clock.rewind(30 * 60_000)
    clock.leader.run_once()
    steps = Plan(clock.timetable.due(1).due[0], clock.timetable.time()).steps()
    took = clock.timetable.tick(clock.leader.token, steps).took
    assert took is not None
    assert 0 < took < 1
