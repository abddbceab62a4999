"""The janitor: what has expired or was left behind goes, what is needed stays."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rq.job import Job

from flow import keys
from flow.store.client import Worker
from flow.upkeep.janitor import AT_ONCE, SILENCE, SLICE, Janitor
from tests.support.leaks import queued
from tests.support.turns import Turns, finished, record

if TYPE_CHECKING:
    from flow.store.client import Store

Untyped = Any  # redis-py is typed in part


@pytest.fixture
def janitor(store: Store) -> Janitor:
    return Janitor(store)


def test_expired_entries_leave_in_slices_until_none_is_left(
    store: Store, client: Untyped, janitor: Janitor
) -> None:
    client.sadd(keys.QUEUES, keys.queue("default"))
    gone = {f"job-{n}": 1000 + n for n in range(AT_ONCE * SLICE + 10)}
    client.zadd(keys.registry("finished", "default"), gone)
    client.zadd(keys.registry("failed", "default"), {"for-ever": -1})
    kept = {"later": time.time() + 100}
    client.zadd(keys.registry("finished", "default"), kept)
    assert janitor.run_once() == 0.1
    assert client.zcard(keys.registry("finished", "default")) == 11
    janitor.run_once()
    assert client.zcard(keys.registry("finished", "default")) == 1
    assert client.zcard(keys.registry("failed", "default")) == 1
    assert store.link.address


def test_workers_that_were_killed_leave_the_sets_of_workers(
    store: Store, client: Untyped, janitor: Janitor
) -> None:
    for name in ("alive", "killed"):
        store.beat(Worker(name, ("default", "mail"), (), {"birth": "-"}), 60)
    client.delete(keys.worker("killed"))  # as if its time to live had passed
    janitor.run_once()
    assert client.smembers(keys.WORKERS) == {b"rq:worker:alive"}
    for queue in ("default", "mail"):
        assert client.smembers(keys.workers_of(queue)) == {b"rq:worker:alive"}


def test_what_a_plain_worker_left_half_queued_is_queued(
    store: Store, client: Untyped, janitor: Janitor
) -> None:
    left, fresh = record(), record()
    store.enqueue([left, fresh])
    client.delete(keys.queue("default"))
    for job, score in ((left, time.time() - 61), (fresh, time.time())):
        client.hset(keys.job(job.id), "status", "ready_to_enqueue")
        client.zadd(keys.registry("ready", "default"), {job.id: score})
    client.zadd(keys.registry("ready", "default"), {"deleted": 1})
    janitor.run_once()
    assert queued(store) == [left.id]
    assert store.status(left.id) == "queued"
    ready = client.zrange(keys.registry("ready", "default"), 0, -1)
    assert ready == [fresh.id.encode()]
    assert Turns(store).one().job_id == left.id
    # A leak by RQ's own making, were it not for its own maintenance.
    client.delete(keys.registry("ready", "default"), keys.job(fresh.id))


def test_waiting_rooms_forget_jobs_that_are_gone(
    store: Store, client: Untyped, janitor: Janitor
) -> None:
    parent = record()
    child = replace(record(), depends_on=(parent.id,))
    store.enqueue([parent, child])
    client.zadd(keys.registry("deferred", "default"), {"deleted": 1})
    janitor.run_once()
    deferred = client.zrange(keys.registry("deferred", "default"), 0, -1)
    assert deferred == [child.id.encode()]
    Turns(store).settle(finished(Turns(store).one(), ttl=0))


def test_what_rqs_client_canceled_while_it_waited_is_kept_as_long_as_a_failure(
    store: Store, client: Untyped, janitor: Janitor
) -> None:
    parent, lasting = (
        replace(record(), failure_ttl=60),
        replace(record(), failure_ttl=-1),
    )
    child = replace(record(), depends_on=(parent.id,))
    store.enqueue([parent, lasting, child])
    for job in (parent, lasting, child):
        Job.fetch(job.id, connection=client).cancel()
    janitor.run_once()
    assert 0 < client.ttl(keys.job(parent.id)) <= 60
    assert 0 < client.ttl(keys.dependents(parent.id)) <= 60
    assert client.ttl(keys.job(child.id)) > 60
    assert client.exists(keys.dependencies(child.id)) == 0
    assert client.ttl(keys.job(lasting.id)) == -1, "its failure_ttl says so"
    client.delete(keys.job(lasting.id))


def test_no_job_is_kept_for_ever_whose_cancel_was_a_year_ago(
    store: Store, client: Untyped, janitor: Janitor
) -> None:
    jobs = [record() for _ in range(200)]
    store.enqueue(jobs)
    registry = keys.registry("canceled", "default")
    for job in jobs:
        client.hset(keys.job(job.id), "status", "canceled")
        client.zadd(registry, {job.id: time.time() - 366 * 24 * 3600})
    client.delete(keys.queue("default"))
    janitor.run_once()
    assert client.exists(registry) == 0
    assert all(client.ttl(keys.job(job.id)) > 0 for job in jobs)


def test_roles_of_this_host_that_were_killed_are_forgotten(
    store: Store, client: Untyped, janitor: Janitor
) -> None:
    host = socket.gethostname()
    store.pulse(host, "worker:1")
    client.hset(keys.host(host), "worker:2", str(time.time() - SILENCE - 1))
    janitor.run_once()
    assert client.hkeys(keys.host(host)) == [b"worker:1"]


def test_a_key_of_another_type_does_not_keep_the_rest_from_being_swept(
    store: Store, client: Untyped, janitor: Janitor
) -> None:
    client.sadd(keys.QUEUES, keys.queue("default"))
    client.set(keys.registry("ready", "default"), "spoilt")
    client.set(keys.registry("deferred", "default"), "spoilt")
    store.beat(Worker("killed", ("default",), (), {"birth": "-"}), 60)
    client.delete(keys.worker("killed"))
    janitor.run_once()
    assert client.smembers(keys.WORKERS) == set()
    client.flushall()
