"""Jobs under random events are where docs/states.md says, after each of them."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.machine import PATIENT, Machine

# The same examples each time: a failure here is one that the change has brought.
STEADY = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=PATIENT,
)


@pytest.mark.usefixtures("store")
def test_after_every_event_each_job_is_in_its_one_place() -> None:
    run_state_machine_as_test(Machine, settings=STEADY)
