"""When Redis forgets: a stale replica, a lost log; and when its time jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flow import events
from flow.scheduler.record import Record
from flow.scheduler.ticker import Ticker
from flow.upkeep.steady import Steady

if TYPE_CHECKING:
    from tests.scheduler.turning import Turning

MINUTE = 60_000
KEYS = ("next", "state", "schedule:beat")


def keep(clock: Turning) -> dict[str, Any]:
    """Return what the timetable's keys hold."""
    command = clock.store.link.command
    return {key: command("DUMP", f"flow:clock:shop:{key}") for key in KEYS}


def go_back(clock: Turning, kept: dict[str, Any], *jobs: str) -> None:
    """Have the server hold what it held then, and know nothing of these jobs."""
    command = clock.store.link.command
    for key, value in kept.items():
        command("RESTORE", f"flow:clock:shop:{key}", 0, value, "REPLACE")
    for job in jobs:
        command("DEL", f"rq:job:{job}")
    command("DEL", "rq:queue:default")


@pytest.mark.parametrize(
    ("policy", "times", "left_out"),
    [("again", 2, {}), ("skip", 1, {"data_loss": 1})],
)
def test_a_forgotten_tick_is_repeated_or_left_out_as_declared(
    clock: Turning,
    happened: list[events.Event],
    policy: str,
    times: int,
    left_out: dict[str, int],
) -> None:
    clock.declare(on_data_loss=policy)
    late = clock.rewind(MINUTE)
    clock.leader.run_once()
    kept = keep(clock)
    clock.turn()
    assert clock.queued() == [f"beat-{late}"]
    go_back(clock, kept, f"beat-{late}")
    clock.turn()
    assert any(isinstance(one, events.DataWentBack) for one in happened)
    assert clock.fired() == [late] * times
    assert clock.left_out() == left_out
    assert clock.stands() == late + MINUTE


def test_a_job_that_outlived_the_loss_is_not_enqueued_twice(clock: Turning) -> None:
    clock.declare()
    late = clock.rewind(MINUTE)
    clock.leader.run_once()
    kept = keep(clock)
    clock.turn()
    go_back(clock, kept)
    clock.store.link.command("EXPIRE", f"rq:job:beat-{late}", 60)
    clock.turn()
    assert clock.queued() == []
    assert clock.stands() == late + MINUTE


def test_while_the_servers_time_is_doubted_nothing_fires(
    clock: Turning, happened: list[events.Event]
) -> None:
    clock.declare()
    uptime = [0.0]
    clock.record = Record(Steady(lambda: uptime[0]))
    clock.ticker = Ticker(clock.timetable, clock.leader, clock.record)
    clock.leader.run_once()
    clock.ticker.run_once()
    uptime[0] -= 3600  # as if the server's had gone on by an hour
    late = clock.rewind(MINUTE)
    assert clock.ticker.run_once() > 0
    assert clock.queued() == []
    jumps = [one for one in happened if isinstance(one, events.ClockJumped)]
    assert [round(one.seconds) for one in jumps] == [3600]
    uptime[0] += 3600
    clock.turn()
    assert clock.fired() == [late]
