"""Jobs under random events, other ones each time: tens of thousands of steps."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.machine import PATIENT, Machine

EXAMPLES = int(os.environ.get("FLOW_CHAOS_EXAMPLES", "600"))
NEW = settings(
    max_examples=EXAMPLES,
    stateful_step_count=60,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=PATIENT,
)


@pytest.mark.usefixtures("store")
def test_after_every_event_each_job_is_in_its_one_place() -> None:
    run_state_machine_as_test(Machine, settings=NEW)
