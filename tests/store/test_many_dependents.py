"""Hundreds wait for one job: no script call is long, and none is forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flow import keys
from flow.queue import new_id
from flow.record import Batch
from flow.upkeep.promoter import Promoter
from tests.support.leaks import queued
from tests.support.turns import Turns, failed, finished, record

if TYPE_CHECKING:
    from flow.record import JobRecord
    from flow.store.client import Store

Untyped = Any  # redis-py is typed in part
MANY = 600
FEW = 400  # that a call lets go at most


def children_of(store: Store, parent: JobRecord) -> set[str]:
    like = replace(record("waiting"), depends_on=(parent.id,))
    calls = [(new_id(), like.invocation) for _ in range(MANY)]
    store.enqueue_batches([Batch(like, calls)])
    return {job_id for job_id, _ in calls}


def end_all(store: Store) -> None:
    turns = Turns(store, "default", "waiting")
    while claims := turns.take(200):
        turns.settle(*[finished(claim, ttl=0) for claim in claims])


def test_a_call_lets_some_go_and_the_promoter_the_others(
    store: Store, client: Untyped
) -> None:
    parent = record()
    store.enqueue([parent])
    children = children_of(store, parent)
    turns = Turns(store)
    # Nothing of the parent stays, but those who wait for it.
    assert turns.settle(finished(turns.one(), ttl=0)) == []
    assert 0 < len(queued(store, "waiting")) < FEW
    promoter = Promoter(store)
    turns_taken = 0
    while client.exists(keys.RELEASING):
        before = len(queued(store, "waiting"))
        promoter.run_once()
        assert len(queued(store, "waiting")) - before < FEW
        turns_taken += 1
    assert turns_taken > 1
    assert sorted(queued(store, "waiting")) == sorted(children)
    assert client.keys(f"rq:job*:{parent.id}*") == []
    end_all(store)


def test_parents_that_end_together_let_no_more_go_at_once_than_one(
    store: Store, client: Untyped
) -> None:
    parents = [record() for _ in range(4)]
    store.enqueue(parents)
    children = set().union(*(children_of(store, one) for one in parents[:3]))
    turns = Turns(store)
    claims = turns.take(4)
    assert turns.settle(*map(finished, claims)) == []
    assert len(queued(store, "waiting")) < FEW
    assert client.hlen(keys.RELEASING) == len(parents) - 1
    promoter = Promoter(store)
    while client.exists(keys.RELEASING):
        promoter.run_once()
    assert sorted(queued(store, "waiting")) == sorted(children)
    end_all(store)


def test_what_others_spoilt_does_not_hold_up_the_promoter(
    store: Store, client: Untyped
) -> None:
    parent = record()
    store.enqueue([parent])
    children = sorted(children_of(store, parent))
    client.delete(keys.job(children[0]))
    client.rpush(keys.job(children[0]), "spoilt")
    client.hset(keys.RELEASING, mapping={"nobody": "spoilt", "noone": "finished 0"})
    turns = Turns(store)
    assert turns.settle(finished(turns.one())) == []
    promoter = Promoter(store)
    while client.exists(keys.RELEASING):
        promoter.run_once()
    assert sorted(queued(store, "waiting")) == children[1:]
    client.set(keys.RELEASING, "spoilt")
    assert promoter.run_once() == Promoter.interval
    client.delete(keys.RELEASING, keys.job(children[0]))
    end_all(store)
    client.flushall()


def test_those_who_wait_on_for_one_that_failed_are_forgotten_with_it(
    store: Store, client: Untyped
) -> None:
    parent = record()
    store.enqueue([parent])
    children = sorted(children_of(store, parent))
    for child in children[::2]:
        client.hset(keys.job(child), "allow_dependency_failures", "1")
    turns = Turns(store)
    assert turns.settle(failed(turns.one(), ttl=60)) == []
    promoter = Promoter(store)
    while client.exists(keys.RELEASING):
        assert client.ttl(keys.dependents(parent.id)) == -1
        promoter.run_once()
    assert sorted(queued(store, "waiting")) == children[::2]
    assert client.smembers(keys.dependents(parent.id)) == {
        child.encode() for child in children[1::2]
    }
    assert 0 < client.ttl(keys.dependents(parent.id)) <= 60
    client.flushall()


def test_those_who_were_not_let_go_wait_for_one_that_takes_its_id(
    store: Store, client: Untyped
) -> None:
    parent = replace(record(), id="mine", chosen=True)
    store.enqueue([parent])
    children = children_of(store, parent)
    turns = Turns(store)
    assert turns.settle(finished(turns.one())) == []
    store.enqueue([parent])
    assert not client.exists(keys.RELEASING)
    let_go = len(queued(store, "waiting"))
    assert turns.settle(finished(turns.one())) == []
    assert let_go < len(queued(store, "waiting"))
    promoter = Promoter(store)
    while client.exists(keys.RELEASING):
        promoter.run_once()
    assert sorted(queued(store, "waiting")) == sorted(children)
    end_all(store)
