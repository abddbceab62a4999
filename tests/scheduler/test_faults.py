"""A key that is in the way stops its own schedule only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow import events

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.scheduler.turning import Turning

MINUTE = 60_000


def test_fields_of_another_type_stop_their_own_schedule_only(
    clock: Turning, store: Store, happened: list[events.Event]
) -> None:
    first: dict[str, int] = {}
    for name in ("a", "b", "c"):
        clock.declare(name, catch_up="all")
        first[name] = clock.rewind(MINUTE, name)
    fields = "flow:clock:shop:job:b"
    store.link.command("DEL", fields)
    store.link.command("SET", fields, "spoilt")
    clock.turn()
    assert clock.stands("b") == first["b"]
    for name in ("a", "c"):
        assert f"{name}-{first[name]}" in clock.queued()
        assert clock.stands(name) > first[name]
    told = [one for one in happened if isinstance(one, events.ScheduleUnreadable)]
    assert [one.schedule for one in told] == ["b"]
    assert "WRONGTYPE" in told[0].error


def test_a_queue_of_another_type_loses_no_tick(
    clock: Turning, store: Store, happened: list[events.Event]
) -> None:
    clock.declare("a")
    first = clock.rewind(MINUTE, "a")
    store.link.command("SET", "rq:queue:default", "spoilt")
    clock.turn()
    assert clock.stands("a") == first
    assert store.link.command("EXISTS", f"rq:job:a-{first}") == 0
    told = [one for one in happened if isinstance(one, events.ScheduleUnreadable)]
    assert [one.schedule for one in told] == ["a"]
    store.link.command("DEL", "rq:queue:default")
    clock.at(first, "a")
    clock.turn()
    assert clock.queued()[0] == f"a-{first}"


def test_a_schedule_without_fields_makes_no_empty_job(
    clock: Turning, store: Store
) -> None:
    clock.declare(catch_up="all")
    cursor = clock.rewind(MINUTE)
    store.link.command("DEL", "flow:clock:shop:job:beat")
    clock.turn()
    assert clock.stands() == cursor
    assert clock.queued() == []
    assert store.link.command("EXISTS", f"rq:job:beat-{cursor}") == 0
