"""What an app declares: reconciled when a clock starts, never by an older release."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from flow.registry import Declaration, Schedule
from flow.scheduler.declarer import Declarer
from flow.schedules.entries import declared
from flow.store.entry import Rule
from flow.store.roster import Roster
from tests.scheduler.turning import APP
from tests.support.shop import tasks

if TYPE_CHECKING:
    from flow.store.client import Store
    from flow.store.entry import Behind, Counted
    from tests.scheduler.turning import Turning

DAY = 86_400_000  # no test may meet a tick by chance
REPORT = "tests-support-shop-tasks-report"
DAILY = Schedule("every", "86400")
HOURLY = Schedule("every", "3600")


def declare(clock: Turning, release: int, *schedules: Schedule) -> Declarer:
    """Have a clock of a release start that declares these."""
    declaration = Declaration(
        "tests.support.shop.tasks.report",
        tasks.report.declaration.function,
        "report",
        schedules=schedules,
    )
    made = partial(declared, [declaration])
    declarer = Declarer(clock.timetable, clock.roster, made, release, clock.record)
    declarer.declare()
    return declarer


def test_what_is_declared_no_longer_goes(clock: Turning) -> None:
    declare(clock, 1, DAILY)
    assert clock.roster.declared() == {REPORT}
    declare(clock, 2)
    assert clock.roster.declared() == set()
    clock.declare("dynamic")
    declare(clock, 3)
    assert clock.find("dynamic").source == "dynamic"


def test_an_older_release_never_overwrites_a_newer_one(clock: Turning) -> None:
    for _ in range(50):
        declare(clock, 41, HOURLY)
        declare(clock, 42, DAILY)
        declare(clock, 41, HOURLY)
        assert clock.find(REPORT).rule == Rule("every", "86400")
    declare(clock, 41)
    assert clock.roster.declared() == {REPORT}
    assert clock.roster.standing()[0] == 42
    declare(clock, 43)
    assert clock.roster.declared() == set()


def test_what_was_due_when_a_release_changed_or_removed_it_is_in_the_ledger(
    clock: Turning,
) -> None:
    kept, gone = f"{REPORT}-kept", f"{REPORT}-gone"
    declare(
        clock,
        1,
        Schedule("every", "86400", name="kept"),
        Schedule("every", "86400", name="gone"),
    )
    clock.rewind(30 * DAY, kept)
    clock.rewind(20 * DAY, gone)
    declare(clock, 2, Schedule("every", "43200", name="kept"))
    assert clock.left_out(kept) == {"edited": 30}
    assert clock.left_out(gone) == {"removed": 20}
    assert clock.roster.declared() == {kept}


def test_a_release_stands_when_all_that_it_does_not_name_is_gone(
    clock: Turning, store: Store
) -> None:
    names = [f"{n:02}" for n in range(60)]
    declare(clock, 1, *(Schedule("every", "86400", name=name) for name in names))
    last = f"{REPORT}-59"
    clock.rewind(20 * DAY, last)

    def killed(behind: Behind, before: Counted | None) -> Counted:
        raise KeyboardInterrupt(behind.id, before)

    whole, clock.roster = clock.roster, Roster(store.link, APP, killed)
    with pytest.raises(KeyboardInterrupt):
        declare(clock, 2)
    assert whole.declared() == {last}
    assert whole.standing()[0] == 1
    Declarer(clock.timetable, whole, lambda _: [], 2, clock.record).run_once()
    assert whole.declared() == set()
    assert whole.standing()[0] == 2


def test_a_restart_neither_repeats_nor_loses_a_tick(clock: Turning) -> None:
    declare(clock, 1, DAILY)
    late = clock.rewind(DAY, REPORT)
    declare(clock, 1, DAILY)
    clock.turn()
    declare(clock, 1, DAILY)
    clock.turn()
    assert clock.fired(REPORT) == [late]


def test_a_rollback_goes_on_where_the_schedule_stood(clock: Turning) -> None:
    declare(clock, 1, DAILY)
    stands = clock.stands(REPORT)
    declare(clock, 2)
    declare(clock, 3, DAILY)
    assert clock.stands(REPORT) == stands
    clock.turn()
    assert clock.fired(REPORT) == []


def test_one_that_returns_after_weeks_is_planned_anew(clock: Turning) -> None:
    declare(clock, 1, DAILY)
    clock.rewind(90 * DAY, REPORT)
    declare(clock, 2)
    key = f"flow:clock:shop:schedule:{REPORT}"
    clock.store.link.command("HINCRBY", key, "removed_at", -61 * 60_000)
    declare(clock, 3, DAILY)
    assert clock.stands(REPORT) > clock.timetable.time()
    assert clock.left_out(REPORT) == {"removed": 90}


def test_what_was_lost_is_declared_again_without_a_burst(clock: Turning) -> None:
    declarer = declare(clock, 1, Schedule("every", "86400"))
    clock.rewind(DAY, REPORT)
    clock.turn()
    clock.store.link.command("FLUSHALL")
    clock.turn()
    assert clock.record.lost_data
    declarer.run_once()
    assert not clock.record.lost_data
    clock.turn()
    assert clock.queued() == []
    assert clock.stands(REPORT) > clock.timetable.time()


def test_clocks_without_release_numbers_do_not_overwrite_each_other_in_turn(
    clock: Turning,
) -> None:
    old = declare(clock, 0, HOURLY)
    declare(clock, 0, DAILY)
    old.run_once()
    assert clock.find(REPORT).rule == Rule("every", "86400")


def test_two_schedules_of_one_task_have_two_ids(clock: Turning) -> None:
    named = Schedule("every", "86400", name="the quick one")
    declare(clock, 1, named, DAILY, HOURLY)
    ids = clock.roster.declared()
    assert f"{REPORT}-the-quick-one" in ids
    assert len(ids) == 3
    declare(clock, 1, HOURLY, named, DAILY)
    assert clock.roster.declared() == ids
