"""flow.schedules: make, change, pause, run, skip, fill and remove while clocks run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import flow
from flow import schedules
from flow.errors import InvalidCall, InvalidSchedule, NaiveDatetime, NoSuchSchedule
from flow.record import Status
from flow.store.entry import Rule
from tests.support.shop import tasks

if TYPE_CHECKING:
    from tests.scheduler.turning import Turning

DAY = 86_400_000  # no test may meet a tick by chance


def test_it_is_found_on_the_package() -> None:
    assert flow.schedules is schedules


def test_a_schedule_is_made_and_ticks(clock: Turning) -> None:
    made = schedules.upsert("beat", tasks.resize, every=86400, args=("a.png",))
    assert (made.id, made.source, made.paused) == ("beat", "dynamic", "")
    assert made.title == "tests.support.shop.tasks.resize('a.png')"
    first = clock.rewind(DAY)
    clock.turn()
    assert clock.queued() == [f"beat-{first}"]
    assert schedules.find("beat").last == first


def test_a_change_of_what_is_enqueued_keeps_the_next_tick(clock: Turning) -> None:
    schedules.upsert("beat", tasks.resize, every=86400, args=("a.png",))
    late = clock.rewind(DAY)
    schedules.upsert("beat", tasks.resize, every=86400, args=("b.png",))
    clock.turn()
    assert clock.fired() == [late]
    command = clock.store.link.command
    told = command("HGET", f"rq:job:beat-{late}", "description")
    assert told == b"tests.support.shop.tasks.resize('b.png')"


def test_a_change_of_the_rule_never_fires_what_the_old_one_had_due(
    clock: Turning,
) -> None:
    schedules.upsert("beat", tasks.report, every=86400)
    late = clock.rewind(DAY)
    schedules.upsert("beat", tasks.report, cron="0 0 1 1 *", tz="Europe/London")
    clock.turn()
    assert clock.fired() == []
    assert clock.left_out() == {"edited": 1}
    assert clock.ledger()[0].tick == late


@pytest.mark.parametrize("paused", [False, True])
def test_every_tick_that_a_change_of_the_rule_leaves_out_is_in_the_ledger(
    clock: Turning,
    paused: bool,  # noqa: FBT001 - a case
) -> None:
    schedules.upsert("beat", tasks.report, every=86400)
    first = clock.rewind(10 * DAY)
    if paused:
        schedules.pause("beat")
    schedules.upsert("beat", tasks.report, cron="0 0 1 1 *")
    assert clock.left_out() == {"paused" if paused else "edited": 10}
    assert [(note.tick, note.until) for note in clock.ledger()] == [
        (first, first + 9 * DAY)
    ]


def test_a_rule_is_changed_between_two_of_its_ticks_however_near_they_are(
    clock: Turning,
) -> None:
    clock.declare(rule=Rule("cron", "* * * * * *"))
    first = clock.rewind(5000_000)
    schedules.upsert("beat", tasks.report, cron="0 0 1 1 *")
    [note] = clock.ledger()
    assert note.count == (note.until - first) // 1000 + 1
    assert note.until <= note.at < note.until + 1000


def test_a_paused_schedule_does_nothing_until_it_is_resumed(clock: Turning) -> None:
    schedules.upsert("beat", tasks.report, every=86400)
    first = clock.rewind(3 * DAY)
    assert schedules.pause("beat")
    assert not schedules.pause("beat")
    clock.turn()
    assert clock.fired() == []
    assert schedules.find("beat").paused
    assert schedules.resume("beat")
    assert not schedules.resume("beat")
    assert clock.left_out() == {"paused": 3}
    assert clock.stands() == first + 3 * DAY
    clock.rewind(DAY)
    clock.turn()
    assert clock.fired() == [first + 2 * DAY]


def test_a_resumed_schedule_keeps_its_jitter(clock: Turning) -> None:
    schedules.upsert("beat", tasks.report, every=86400, jitter=59)
    due = clock.wakes()
    assert due > clock.stands()
    schedules.pause("beat")
    schedules.resume("beat")
    assert clock.wakes() == due


def test_a_change_of_the_jitter_alone_moves_when_the_next_tick_is_due(
    clock: Turning,
) -> None:
    schedules.upsert("beat", tasks.report, every=86400, jitter=59)
    stands = clock.stands()
    schedules.upsert("beat", tasks.report, every=86400)
    assert (clock.stands(), clock.wakes()) == (stands, stands)


def test_a_pause_outlives_a_change(clock: Turning) -> None:
    schedules.upsert("beat", tasks.report, every=86400)
    schedules.pause("beat")
    schedules.upsert("beat", tasks.report, every=43200)
    assert schedules.find("beat").paused
    clock.turn()
    assert clock.queued() == []


def test_run_now_enqueues_beside_the_ticks(clock: Turning) -> None:
    schedules.upsert("beat", tasks.report, every=86400)
    stands = clock.stands()
    schedules.pause("beat")
    job = schedules.run_now("beat")
    assert job.status is Status.QUEUED
    assert clock.queued() == [job.id]
    assert clock.stands() == stands
    assert clock.ledger()[-1].outcome == "run"


def test_skip_next_leaves_out_so_many_ticks(clock: Turning) -> None:
    schedules.upsert("beat", tasks.report, every=86400, catch_up="all")
    schedules.skip_next("beat", 2)
    assert schedules.find("beat").skip == 2
    first = clock.rewind(3 * DAY)
    clock.turn()
    assert clock.fired() == [first + 2 * DAY]
    assert clock.left_out() == {"skip_next": 2}
    assert schedules.find("beat").skip == 0


def test_a_backfill_enqueues_each_tick_of_the_past_once(clock: Turning) -> None:
    schedules.upsert("beat", tasks.report, every=3600)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    jobs = schedules.backfill("beat", start, start + timedelta(hours=3))
    hours = [int(start.timestamp() + n * 3600) * 1000 for n in range(3)]
    assert [job.id for job in jobs] == [f"beat-{hour}" for hour in hours]
    assert schedules.backfill("beat", start, start + timedelta(hours=3)) == []
    assert clock.queued() == [job.id for job in jobs]


def test_a_backfill_leaves_the_clocks_own_ticks_alone(clock: Turning) -> None:
    schedules.upsert("beat", tasks.report, every=86400)
    stands = datetime.fromtimestamp(clock.stands() / 1000, UTC)
    day = timedelta(days=1)
    jobs = schedules.backfill("beat", stands - day, stands + 5 * day)
    assert [job.id for job in jobs] == [f"beat-{clock.stands() - DAY}"]


def test_a_backfill_without_end_is_refused(clock: Turning) -> None:
    schedules.upsert("beat", tasks.report, every=1)
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(InvalidSchedule, match="10000"):
        schedules.backfill("beat", day, day + timedelta(days=1))
    with pytest.raises(NaiveDatetime):
        schedules.backfill("beat", day.replace(tzinfo=None), day)
    assert clock.queued() == []


def test_a_removed_schedule_is_gone_and_comes_back_where_it_stood(
    clock: Turning,
) -> None:
    schedules.upsert("beat", tasks.report, every=86400)
    late = clock.rewind(DAY)
    schedules.remove("beat")
    assert clock.left_out() == {"removed": 1}
    clock.turn()
    assert schedules.all() == []
    assert clock.queued() == []
    schedules.upsert("beat", tasks.report, every=86400)
    clock.turn()
    assert clock.fired() == [late]
    schedules.remove("beat")
    schedules.upsert("beat", tasks.report, every=86400)
    clock.turn()
    assert clock.fired() == [late]


@pytest.mark.parametrize("paused", [False, True])
def test_what_is_removed_and_comes_back_has_each_tick_in_the_ledger_once(
    clock: Turning,
    paused: bool,  # noqa: FBT001 - a case
) -> None:
    schedules.upsert("beat", tasks.report, every=86400)
    first = clock.rewind(5 * DAY)
    if paused:
        schedules.pause("beat")
    schedules.remove("beat")
    assert clock.left_out() == {"paused" if paused else "removed": 5}
    schedules.upsert("beat", tasks.report, every=86400)
    assert clock.ledger() == []
    if paused:
        schedules.resume("beat")
    clock.turn()
    assert clock.left_out() == ({"paused": 5} if paused else {"missed": 4})
    assert clock.fired() == ([] if paused else [first + 4 * DAY])


def test_what_the_app_declares_can_be_paused_but_neither_changed_nor_removed(
    clock: Turning,
) -> None:
    clock.declare()
    clock.store.link.command("HSET", "flow:clock:shop:ids", "beat", "declared")
    key = "flow:clock:shop:schedule:beat"
    clock.store.link.command("HSET", key, "source", "declared")
    with pytest.raises(InvalidSchedule, match="the app declares 'beat'"):
        schedules.remove("beat")
    with pytest.raises(InvalidSchedule, match="the app declares 'beat'"):
        schedules.upsert("beat", tasks.report, every=86400)
    assert schedules.pause("beat")


def test_an_unknown_schedule_is_one_clear_error(clock: Turning) -> None:
    del clock
    day = datetime(2026, 1, 1, tzinfo=UTC)
    for verb in (
        schedules.pause,
        schedules.resume,
        schedules.run_now,
        schedules.skip_next,
        schedules.remove,
        schedules.find,
    ):
        with pytest.raises(NoSuchSchedule, match="no schedule 'none' of shop"):
            verb("none")
    with pytest.raises(NoSuchSchedule):
        schedules.backfill("none", day, day)


def test_what_cannot_be_is_refused(clock: Turning) -> None:
    with pytest.raises(InvalidSchedule, match="is no schedule id"):
        schedules.upsert("a.b", tasks.report, every=86400)
    with pytest.raises(InvalidSchedule, match="either cron= or every="):
        schedules.upsert("beat", tasks.report)
    with pytest.raises(InvalidSchedule, match="from 1 second"):
        schedules.upsert("beat", tasks.report, every=0.1)
    with pytest.raises(InvalidSchedule, match="no option 'sometimes'"):
        schedules.upsert("beat", tasks.report, every=9, sometimes=1)  # type: ignore[call-arg]  # the case
    with pytest.raises(InvalidCall):
        schedules.upsert("beat", tasks.report, every=86400, args=(1, 2, 3))
    assert clock.queued() == []
    assert schedules.all() == []
