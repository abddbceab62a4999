"""Recoverer: what dead processes held goes back, and only what they held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow import keys
from flow.errors import ServerUnreachable
from flow.store import beats
from flow.store.client import BEGIN, Worker
from flow.upkeep.janitor import Janitor
from flow.upkeep.recoverer import Recoverer
from tests.support.clock import Clock
from tests.support.leaks import places, queued
from tests.support.sentinels import free_port
from tests.support.turns import Turns, finished, record

if TYPE_CHECKING:
    from flow.store.client import Store

LEASE = 10.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recoverer(store: Store, clock: Clock) -> Recoverer:
    return Recoverer(store, LEASE, clock)


def beat(store: Store, turns: Turns) -> None:
    store.beat(Worker("w", ("default",), (turns.name,), {"birth": "-"}), 60)


def watch(recoverer: Recoverer, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds / 2)):
        clock.now += 2
        recoverer.run_once()


def claimed(store: Store) -> Turns:
    store.enqueue([record()])
    turns = Turns(store)
    turns.one()
    return turns


def test_a_process_that_beats_keeps_what_it_holds(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    turns = claimed(store)
    for _ in range(20):
        beat(store, turns)
        watch(recoverer, clock, 4)
    assert len(store.held(["default"])) == 1


def test_a_process_that_stands_still_for_a_lease_is_dead(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    turns = claimed(store)
    beat(store, turns)
    recoverer.run_once()
    watch(recoverer, clock, LEASE - 2)
    assert queued(store) == []
    watch(recoverer, clock, 2)
    assert len(queued(store)) == 1
    assert beats.look(store, BEGIN).beats == {}


def test_a_server_that_refused_writes_makes_nobody_dead(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    turns = claimed(store)
    beat(store, turns)
    recoverer.run_once()
    store.link.command("REPLICAOF", "127.0.0.1", free_port())
    try:
        for _ in range(20):
            with pytest.raises(ServerUnreachable, match="read only"):
                beat(store, turns)
            with pytest.raises(ServerUnreachable, match="read only"):
                watch(recoverer, clock, 2)
    finally:
        store.link.command("REPLICAOF", "NO", "ONE")
    watch(recoverer, clock, 2)  # before the process could beat
    assert len(store.held(["default"])) == 1


def test_a_server_without_memory_lets_the_living_beat(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    turns = claimed(store)
    store.link.command("CONFIG SET", "maxmemory", 1)
    try:
        for _ in range(20):
            beat(store, turns)
            store.pulse("host", "worker:1")
            watch(recoverer, clock, 4)
        with pytest.raises(ServerUnreachable, match="maxmemory"):
            store.enqueue([record()])
    finally:
        store.link.command("CONFIG SET", "maxmemory", 0)
    assert len(store.held(["default"])) == 1


def test_a_queue_whose_name_is_no_text_keeps_nobodys_jobs(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    turns = claimed(store)
    store.link.command("SADD", keys.QUEUES, b"rq:queue:\xff")
    watch(recoverer, clock, LEASE + 2)
    assert len(queued(store)) == 1
    assert store.held(store.queues()) == []
    assert Janitor(store).run_once() is not None  # it looks at all queues, too
    store.leave([turns.name])


def test_a_process_that_never_beat_is_watched_too(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    claimed(store)
    recoverer.run_once()
    watch(recoverer, clock, LEASE)
    assert len(queued(store)) == 1


def test_a_dead_process_that_holds_nothing_is_forgotten(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    beat(store, Turns(store))
    recoverer.run_once()
    watch(recoverer, clock, LEASE)
    assert beats.look(store, BEGIN).beats == {}


def test_one_that_beats_again_before_its_lease_ends_lives(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    turns = claimed(store)
    recoverer.run_once()
    watch(recoverer, clock, LEASE - 2)
    beat(store, turns)
    watch(recoverer, clock, LEASE - 2)
    assert len(store.held(["default"])) == 1


def test_after_an_absence_every_watch_begins_anew(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    claimed(store)
    recoverer.run_once()
    clock.now += 10 * LEASE  # the recoverer was stopped, or Redis away
    recoverer.run_once()
    assert queued(store) == []
    watch(recoverer, clock, LEASE - 2)
    assert queued(store) == []
    watch(recoverer, clock, 2)
    assert len(queued(store)) == 1


def test_a_look_that_waited_for_its_answer_was_an_absence(store: Store) -> None:
    # The server stood still for longer than a lease: nobody could beat meanwhile.
    times = iter([0.0, 2.0, 4.0, 6.0, 30.0, 32.0])
    now = [0.0]

    def monotonic() -> float:
        now[0] = next(times, now[0])
        return now[0]

    claimed(store)
    recoverer = Recoverer(store, LEASE, monotonic)
    for _ in range(5):
        recoverer.run_once()
    assert queued(store) == []


def test_two_recoverers_put_a_job_back_once(store: Store, clock: Clock) -> None:
    turns = claimed(store)
    (held,) = store.held(["default"])
    both = [Recoverer(store, LEASE, clock) for _ in range(2)]
    for recoverer in both:
        recoverer.run_once()
    for _ in range(6):
        clock.now += 2
        for recoverer in both:
            recoverer.run_once()
    assert queued(store) == [held.job_id]
    assert turns.take(5) != []


def test_a_process_that_was_taken_for_dead_settles_nothing_and_goes_on(
    store: Store, recoverer: Recoverer, clock: Clock
) -> None:
    store.enqueue([record()])
    slow, quick = Turns(store), Turns(store)
    claim = slow.one()
    recoverer.run_once()
    watch(recoverer, clock, LEASE)
    again = quick.one()
    assert again.job_id == claim.job_id
    assert slow.settle(finished(claim)) == [(claim.job_id, "lost")]
    assert places(store, claim.job_id) == ["wip"]
    assert quick.settle(finished(again)) == []
    store.enqueue([record()])
    assert slow.settle(finished(slow.one())) == []
