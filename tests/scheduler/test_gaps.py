"""Schedules that somebody removed from those that come next are planned again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow import events, schedules
from flow.record import Invocation, JobRecord
from flow.registry import Policy
from flow.schedules.entries import entry
from flow.schedules.rules import delay
from flow.store.entry import Rule

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.scheduler.turning import Turning

MINUTE = 60_000
NEXT = "flow:clock:shop:next"


def restored(happened: list[events.Event]) -> list[int]:
    """Return how many schedules were restored, each time that some were."""
    return [one.count for one in happened if isinstance(one, events.SchedulesRestored)]


def test_a_leader_plans_anew_when_what_comes_next_is_deleted(
    clock: Turning, store: Store, happened: list[events.Event]
) -> None:
    for name in ("beat", "late", "paused"):
        clock.declare(name)
    schedules.pause("paused")
    clock.turn()
    clock.rewind(3 * MINUTE, "late")
    store.link.command("DEL", NEXT)
    clock.turn()
    assert restored(happened) == [2]
    assert clock.wakes() == clock.stands()
    assert len(clock.fired("late")) == 1
    assert clock.left_out("late") == {"missed": 2}
    assert store.link.command("ZSCORE", NEXT, "paused") is None


def test_one_that_is_missing_there_is_noticed_once_among_many(
    clock: Turning, store: Store, happened: list[events.Event]
) -> None:
    record = JobRecord("beat", Invocation("shop.beat"), "default")
    rule, now = Rule("every", "86400"), clock.timetable.time()
    names = [f"beat-{n}" for n in range(1000)]
    made = [entry(name, rule, Policy(), record, now) for name in names]
    clock.roster.declare(made, "dynamic")
    clock.turn()
    for lost in ("beat-7", "beat-993"):
        store.link.command("ZREM", NEXT, lost)
        clock.turn()
        assert clock.wakes(lost) == clock.stands(lost)
    clock.turn()
    assert restored(happened) == [1, 1]


def test_what_is_put_back_waits_for_its_jitter(clock: Turning, store: Store) -> None:
    clock.declare(jitter=59)
    now = clock.timetable.time()
    cursor = next(n for n in range(now, 0, -1) if delay("beat", n, 59) > 30_000)
    clock.at(cursor)
    store.link.command("DEL", NEXT)
    clock.turn()
    assert clock.fired() == []
    assert clock.wakes() == cursor + delay("beat", cursor, 59)
