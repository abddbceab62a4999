"""Jobs whose parents are gone wait no more, and keys of jobs that are gone go."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flow import keys
from flow.store import leftovers
from flow.upkeep.janitor import Janitor
from flow.upkeep.seeker import AGED, Seeker
from tests.support.apps import RQ
from tests.support.clock import Clock
from tests.support.leaks import places, queued
from tests.support.shop import callbacks, plain
from tests.support.turns import Turns, finished, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.record import JobRecord
    from flow.store.client import Store

Untyped = Any  # redis-py is typed in part


@pytest.fixture
def queue(client: Untyped) -> Untyped:
    return RQ.Queue(connection=client)


def child_of(store: Store, *parents: JobRecord) -> JobRecord:
    child = replace(record(), depends_on=tuple(one.id for one in parents))
    store.enqueue([*parents, child])
    return child


def pass_a_minute(client: Untyped, child: str) -> None:
    """Have a job have been an orphan for a minute, if it was seen to be one."""
    assert client.hexists(keys.job(child), "flow_orphaned")
    client.hset(keys.job(child), "flow_orphaned", time.time() - 61)


def test_a_job_whose_parents_expired_or_were_deleted_is_a_dead_letter(
    store: Store, client: Untyped
) -> None:
    expired, deleted = record(), record()
    child = child_of(store, expired, deleted)
    client.delete(keys.job(expired.id))  # as if its time to live had passed
    RQ.job.Job.fetch(deleted.id, connection=client).delete()
    janitor = Janitor(store)
    janitor.run_once()
    janitor.run_once()
    assert places(store, child.id) == ["deferred"]  # they may come again
    pass_a_minute(client, child.id)
    janitor.run_once()
    assert places(store, child.id) == ["failed"]
    job = RQ.job.Job.fetch(child.id, connection=client)
    assert job.get_status().value == "failed"
    told = job.latest_result().exc_string
    assert "ParentGone: a job that it waited for was deleted" in told
    assert client.keys("rq:job:*:depend*") == []
    client.delete(keys.queue("default"))


def test_a_job_that_allows_failures_runs_when_its_parent_is_gone(
    queue: Untyped, store: Store, client: Untyped
) -> None:
    parent = queue.enqueue(plain.add, 1)
    despite = RQ.job.Dependency(parent, allow_failure=True)
    child = queue.enqueue(plain.add, 2, depends_on=despite)
    parent.delete()
    janitor = Janitor(store)
    janitor.run_once()
    pass_a_minute(client, child.id)
    janitor.run_once()
    assert queued(store) == [child.id]
    turns = Turns(store)
    assert turns.settle(finished(turns.one())) == []


def test_the_callback_of_an_orphan_is_run_by_a_job_of_its_own(
    queue: Untyped, store: Store
) -> None:
    parent = queue.enqueue(plain.add, 1)
    told = RQ.Callback(callbacks.failed)
    child = queue.enqueue(plain.add, 2, depends_on=parent, on_failure=told)
    parent.delete()
    for expected in (True, None):  # a repeat finds that it is none any more
        assert leftovers.orphan(store, child.id) is expected
    assert queued(store) == [f"{child.id}-orphan"]
    turns = Turns(store)
    assert turns.settle(finished(turns.one(), ttl=0)) == []


def test_a_job_with_a_parent_that_is_there_waits_on(
    store: Store, client: Untyped
) -> None:
    gone, there = record(), record()
    child = child_of(store, gone, there)
    client.delete(keys.job(gone.id))
    assert leftovers.sweep(store, ["default"], 50, 600) == []
    assert leftovers.orphan(store, child.id) is None
    assert not client.hexists(keys.job(child.id), "flow_orphaned")
    turns = Turns(store)
    assert turns.settle(finished(turns.one())) == []
    # One that is gone does not hinder it, as in RQ.
    assert turns.settle(finished(turns.one())) == []
    client.delete(keys.dependents(gone.id))


def test_a_job_whose_parent_comes_again_waits_for_that(
    store: Store, client: Untyped
) -> None:
    parent = replace(record(), id="mine", chosen=True)
    child = child_of(store, parent)
    client.delete(keys.job(parent.id), keys.queue("default"))
    Janitor(store).run_once()
    pass_a_minute(client, child.id)
    store.enqueue([parent])
    Janitor(store).run_once()
    assert places(store, child.id) == ["deferred"]
    assert not client.hexists(keys.job(child.id), "flow_orphaned")
    turns = Turns(store)
    for _ in (parent, child):
        assert turns.settle(finished(turns.one())) == []


@pytest.fixture
def strays(client: Untyped) -> Iterator[list[str]]:
    """Keys of a job that is gone, among others that are right."""
    client.xadd(keys.results("expires"), {"type": 1})
    client.expire(keys.results("expires"), 600)
    client.set("others:results:gone", "theirs", ex=600)
    made = keys.results("gone"), keys.dependents("gone"), keys.dependencies("gone")
    client.xadd(made[0], {"type": 1})
    client.sadd(made[1], *[f"waits-no-more-{n}" for n in range(60)])
    client.sadd(made[2], "parent")
    yield list(made)
    assert client.exists("others:results:gone", keys.results("expires")) == 2
    client.delete(*made)


def test_keys_of_jobs_that_are_gone_go_when_they_were_seen_twice(
    store: Store, client: Untyped, strays: list[str]
) -> None:
    clock = Clock()
    seeker = Seeker(store, clock)
    assert seeker.run_once()
    clock.now += AGED / 2
    assert seeker.run_once()
    assert client.exists(*strays) == len(strays)
    for _ in range(3):  # a waiting room empties in slices, one a round
        while seeker.run_once():
            clock.now += AGED
        client.delete(keys.SOUGHT)
    assert client.exists(*strays) == 0


def test_keys_of_a_job_that_is_just_being_made_stay(
    store: Store, client: Untyped, strays: list[str]
) -> None:
    clock = Clock()
    seeker = Seeker(store, clock)
    assert seeker.run_once()
    client.hset(keys.job("gone"), "status", "created")
    clock.now += AGED
    assert seeker.run_once() is None
    assert client.exists(*strays) == len(strays)
    client.delete(keys.job("gone"))


def test_those_who_still_wait_for_a_job_that_is_gone_are_kept(
    store: Store, client: Untyped
) -> None:
    parent = record()
    child = child_of(store, parent)
    client.delete(keys.job(parent.id), keys.queue("default"))
    client.sadd(keys.dependents(parent.id), "waits-no-more")
    found, _ = leftovers.strays(store, "0", 1000)
    assert found == [keys.dependents(parent.id).encode()]
    assert leftovers.discard(store, found, 100) == 0
    assert client.smembers(found[0]) == {child.id.encode()}
    assert leftovers.orphan(store, child.id)
    assert not client.exists(found[0])


def test_only_one_of_a_fleet_looks_for_them(store: Store, client: Untyped) -> None:
    client.xadd(keys.results("gone"), {"type": 1})
    both = [Seeker(store), Seeker(store)]
    assert [seeker.run_once() is None for seeker in both] == [False, True]
    client.delete(keys.results("gone"))
