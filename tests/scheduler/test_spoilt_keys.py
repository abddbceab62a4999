"""Keys that another program wrote: a clock goes on, and says which they are."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from flow import events, schedules
from flow.errors import InvalidSchedule, SpoiltKey
from flow.registry import Schedule
from flow.store.entry import Counted, Rule
from flow.store.roster import Roster
from tests.scheduler.test_releases import REPORT, declare

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store
    from flow.store.entry import Behind
    from tests.scheduler.turning import Turning

MINUTE = 60_000
KEYS = "flow:clock:shop:"
GARBAGE = ("garbage", b"\xff\xfe", "-1", "9" * 40, "")
OF_A_SCHEDULE = ("cursor", "revision", "policy", "kind", "spec", "tz", "skip", "last")
OF_THE_APP = ("serial", "tick_at", "late", "until", "release", "zones", "by")
SPECS = ("1@inf", "1@nan", "1e300", "0", "1@1e300")
CURSORS = ("1700000000000.0", "1.7e12", "nan", "inf", "0x10", "01700000000000")
POLICIES = ("[]", "null", '{"jitter": "x"}', '{"maximum": 1e300}', '{"jitter": 1e300}')


def spoil(store: Store, part: str, *, field: str = "", value: str | bytes = "") -> None:
    """Write one field of a key, or all of it with another type."""
    command = store.link.command
    if field:
        command("HSET", KEYS + part, field, value)
        return
    command("DEL", KEYS + part)
    command("RPUSH" if part == "ledger" else "SADD", KEYS + part, "spoilt")


def goes_on(clock: Turning) -> None:
    """Fail unless a tick of the schedule ``beat`` fires."""
    before = len(clock.fired())
    clock.rewind(MINUTE)
    clock.turn()
    assert len(clock.fired()) == before + 1


@pytest.mark.parametrize("field", OF_A_SCHEDULE)
def test_garbage_in_a_schedule_stops_that_schedule_at_most(
    clock: Turning, store: Store, field: str
) -> None:
    clock.declare()
    more = {"spec": SPECS, "policy": POLICIES}.get(field, ())
    for value in (*GARBAGE, *more):
        clock.declare("other")
        spoil(store, "schedule:other", field=field, value=value)
        store.link.command("ZADD", KEYS + "next", 0, "other")
        goes_on(clock)


@pytest.mark.parametrize("value", [*CURSORS, *GARBAGE])
def test_a_schedule_that_stands_at_garbage_is_changed_made_anew_and_removed(
    clock: Turning, store: Store, value: str | bytes
) -> None:
    def spoilt(schedule: str) -> str:
        spoil(store, f"schedule:{schedule}", field="cursor", value=value)
        return schedule

    declare(clock, 1, Schedule("every", "3600"))
    clock.declare()
    spoilt(REPORT)
    declare(clock, 2, Schedule("every", "86400"))
    clock.declare(spoilt("beat"), rule=Rule("every", "7200"))
    assert min(clock.stands(REPORT), clock.stands()) > clock.timetable.time()
    spoilt(REPORT)
    declare(clock, 3)
    assert clock.roster.declared() == set()
    assert clock.roster.remove(spoilt("beat")) == 1
    assert clock.ledger(REPORT) == clock.ledger() == []


@pytest.mark.parametrize("value", CURSORS)
def test_a_schedule_that_stands_at_garbage_begins_anew_when_it_is_declared_again(
    clock: Turning, store: Store, value: str
) -> None:
    clock.declare()
    clock.schedules.pause("beat")
    spoil(store, "schedule:beat", field="cursor", value=value)
    with pytest.raises(SpoiltKey, match="beat cannot be read"):
        schedules.resume("beat")
    clock.declare()
    assert clock.stands() > clock.timetable.time()
    assert schedules.resume("beat")


def test_a_key_of_another_type_keeps_no_schedule_from_being_removed(
    clock: Turning, store: Store
) -> None:
    declare(clock, 1, Schedule("every", "3600"))
    clock.declare()
    for schedule in (REPORT, "beat"):
        spoil(store, f"schedule:{schedule}")
    declare(clock, 2)
    assert clock.roster.standing()[0] == 2
    assert clock.roster.remove("beat") == 1
    assert clock.timetable.ids() == []


def test_who_resumes_a_schedule_that_cannot_be_read_is_told(
    clock: Turning, store: Store
) -> None:
    clock.declare()
    clock.rewind(MINUTE)
    clock.schedules.pause("beat")
    spoil(store, "schedule:beat", field="spec", value="often")
    with pytest.raises(InvalidSchedule, match="'often' is no number of seconds"):
        schedules.resume("beat")
    assert clock.find().paused
    assert clock.ledger() == []


def test_a_schedule_whose_ticks_cannot_be_counted_is_left_as_it_is(
    clock: Turning, store: Store
) -> None:
    def stuck(behind: Behind, before: Counted | None) -> Counted:
        del before
        return Counted(behind.cursor, 1, behind.cursor, behind.cursor)

    declare(clock, 1, Schedule("every", "3600"))
    clock.declare()
    clock.rewind(MINUTE * 60, REPORT)
    clock.rewind(MINUTE)
    clock.roster = Roster(store.link, "shop", stuck)
    declare(clock, 2, Schedule("every", "86400"))
    declare(clock, 2)
    assert clock.find(REPORT).rule == Rule("every", "3600")
    with pytest.raises(SpoiltKey, match="'beat' had due cannot be counted; pause it"):
        clock.roster.remove("beat")
    assert clock.ledger(REPORT) == clock.ledger() == []


@pytest.mark.parametrize("field", OF_THE_APP)
def test_garbage_in_what_clocks_note_stops_nothing(
    clock: Turning, store: Store, field: str
) -> None:
    for value in GARBAGE:
        clock.declare()
        spoil(store, "state", field=field, value=value)
        goes_on(clock)
        declare(clock, 10**6, Schedule("every", "3600"))


def test_garbage_in_who_leads_and_in_the_bell_stops_nothing(
    clock: Turning, store: Store
) -> None:
    clock.declare()
    for part, value in itertools.product(("leader", "epoch", "bell"), GARBAGE):
        clock.leader.resign()
        store.link.command("SET", KEYS + part, value)
        goes_on(clock)
        clock.declare("edited", word=f"{part} {value!r}")


def test_garbage_among_what_is_due_stops_nothing(clock: Turning, store: Store) -> None:
    clock.declare()
    clock.declare("paused")
    clock.schedules.pause("paused")
    for member in ("nobody", b"\xff\xfe", "paused"):
        store.link.command("ZADD", KEYS + "next", 0, member)
    goes_on(clock)
    assert store.link.command("ZCARD", KEYS + "next") == 1
    store.link.command("ZADD", KEYS + "next", "inf", "beyond")
    goes_on(clock)


def test_a_key_of_another_type_stops_its_own_schedule_until_it_is_declared_again(
    clock: Turning, store: Store, happened: list[events.Event]
) -> None:
    clock.declare()
    clock.declare("other")
    spoil(store, "schedule:other")
    store.link.command("ZADD", KEYS + "next", 0, "other")
    goes_on(clock)
    told = [one for one in happened if isinstance(one, events.ScheduleUnreadable)]
    assert [one.schedule for one in told] == ["other"]
    assert [one.id for one in clock.schedules.all()] == ["beat"]
    clock.declare("other")
    assert clock.stands("other") > clock.timetable.time()


@pytest.mark.parametrize("part", ["leader", "epoch", "state", "next", "ids", "ledger"])
def test_a_key_of_another_type_is_named_with_what_to_do(
    clock: Turning, store: Store, part: str
) -> None:
    clock.declare()
    spoil(store, part)
    asks: dict[str, Callable[[], object]] = {
        "ids": clock.schedules.all,
        "ledger": clock.ledger,
    }
    with pytest.raises(SpoiltKey, match=f"{KEYS}{part} is a .*; delete it"):
        asks.get(part, clock.turn)()


def test_ids_of_another_type_are_named_once_and_stop_no_tick(
    clock: Turning, store: Store
) -> None:
    clock.declare()
    clock.declare("paused")
    clock.schedules.pause("paused")
    clock.turn()
    spoil(store, "ids")
    clock.rewind(MINUTE)
    with pytest.raises(SpoiltKey, match=f"{KEYS}ids is a set"):
        clock.turn()
    assert len(clock.fired()) == 1
    goes_on(clock)
    goes_on(clock)


def test_garbage_in_the_ledger_is_passed_over(clock: Turning, store: Store) -> None:
    clock.declare()
    goes_on(clock)
    for pairs in (("x", "y"), ("tick", "z"), (b"\xff", b"\xfe")):
        store.link.command("XADD", KEYS + "ledger", "*", *pairs)
    assert len(clock.fired()) == 1
