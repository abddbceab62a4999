"""Burial: what a worker's own dead processes held goes back at once, and again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flow import keys
from flow.workers.burial import AGAIN, Burial, Dead
from flow.workers.settler import Settler
from tests.support.clock import Clock
from tests.support.leaks import places, queued
from tests.support.turns import Turns, begun, record

if TYPE_CHECKING:
    from flow.store.client import Store

QUEUES = ("odd", "bytes", "default")
KILLED = "signal 9, SIGKILL (out of memory?)"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def burial(store: Store, clock: Clock) -> Burial:
    return Burial(store, Settler(store, "w"), QUEUES, clock)


def dead(turns: Turns, running: set[int], *, stopping: bool = False) -> Dead:
    return Dead(turns.name, running, 0, KILLED, stopping)


def test_what_had_not_started_goes_back_whatever_it_says(
    store: Store, burial: Burial
) -> None:
    jobs = [replace(record(), on_crash="fail") for _ in range(3)]
    store.enqueue(jobs)
    turns = Turns(store)
    turns.take(3)
    assert begun(store, jobs[1].id)
    burial.add(dead(turns, {2}))
    burial.run_once()
    assert queued(store) == [jobs[0].id, jobs[2].id]
    assert places(store, jobs[1].id) == ["failed"]


def test_a_claim_that_arrives_after_the_death_is_found_too(
    store: Store, burial: Burial, clock: Clock
) -> None:
    turns = Turns(store)
    burial.add(dead(turns, set()))
    burial.run_once()
    job = record()
    store.enqueue([job])
    turns.one()  # sent before the death, read by the server after it
    burial.run_once()
    assert queued(store) == [job.id]
    clock.now += AGAIN
    burial.run_once()
    assert places(store, job.id) == ["queue"]


def test_a_buried_process_is_forgotten(
    store: Store, burial: Burial, clock: Clock
) -> None:
    turns = Turns(store)
    turns.take(1)
    burial.add(dead(turns, set()))
    clock.now += AGAIN
    burial.run_once()
    assert store.link.command("KEYS", "flow:*") == []
    burial.run_once()  # and there is nobody left to bury


def test_the_end_of_a_worker_buries_at_once(store: Store, burial: Burial) -> None:
    job = replace(record(), on_crash="retry")
    store.enqueue([job])
    turns = Turns(store)
    turns.one()
    burial.add(dead(turns, {1}, stopping=True))
    burial.finish()
    assert queued(store) == [job.id]
    assert store.link.command("KEYS", "flow:*") == []


def test_another_processs_jobs_stay_with_it(store: Store, burial: Burial) -> None:
    store.enqueue([record(), record()])
    one, two = Turns(store), Turns(store)
    one.one()
    other = two.one()
    burial.add(dead(one, {1}))
    burial.run_once()
    assert places(store, other.job_id) == ["wip"]
    assert len(queued(store)) == 1


def test_a_spoilt_key_of_one_queue_does_not_keep_the_jobs_of_others(
    store: Store, burial: Burial
) -> None:
    job = record()
    store.enqueue([job])
    turns = Turns(store)
    turns.take(1)
    store.link.command("SET", keys.wip("odd"), "spoilt", "EX", 60)
    store.link.command("ZADD", keys.wip("bytes"), 1, b"\xff:\xfe-1")
    burial.add(dead(turns, set()))
    burial.run_once()
    assert queued(store) == [job.id]
