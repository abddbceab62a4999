"""enqueue.lua and enqueue_one.lua: jobs are written, and go where they belong."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from flow import keys
from flow.errors import InvalidCall
from flow.record import Batch, Invocation, Status
from flow.store.batches import script_calls
from tests.support.leaks import leaks, places, queued, snapshot
from tests.support.proxy import proxied
from tests.support.turns import Turns, failed, finished, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flow.outcome import Outcome
    from flow.record import Claim, JobRecord
    from flow.store.client import Store
    from tests.support.server import Server


def test_jobs_wait_in_the_order_of_the_call(store: Store) -> None:
    jobs = [record() for _ in range(450)]  # three script calls
    store.enqueue(jobs)
    assert queued(store) == [job.id for job in jobs]


def test_one_alone_is_written_as_one_among_many(store: Store) -> None:
    alone, among = record(), record()
    store.enqueue([alone])
    store.enqueue([among, record()])
    hashes = [store.link.command("HGETALL", keys.job(x.id)) for x in (alone, among)]
    for fields in hashes:
        del fields[b"created_at"], fields[b"enqueued_at"]
    assert hashes[0] == hashes[1]
    assert store.link.command("SMEMBERS", keys.QUEUES) == {b"rq:queue:default"}


def test_one_that_finds_another_type_in_its_queues_place_leaves_nothing(
    store: Store,
) -> None:
    store.link.command("SET", keys.queue("default"), "of another program")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        store.enqueue([record()])
    store.link.command("DEL", keys.queue("default"))
    assert snapshot(store) == {}


def test_one_at_the_front_runs_before_what_waits(store: Store) -> None:
    usual, hurried = record(), replace(record(), at_front=True)
    store.enqueue([usual, hurried])
    assert queued(store) == [hurried.id, usual.id]


def test_one_with_an_instant_waits_among_the_scheduled(store: Store) -> None:
    due = time.time() + 3600.25
    job = replace(record(), due=due)
    store.enqueue([job])
    assert places(store, job.id) == ["scheduled"]
    score = store.link.command("ZSCORE", keys.registry("scheduled", "default"), job.id)
    assert float(score) == pytest.approx(due, abs=0.001)


def test_a_child_waits_until_its_parents_have_finished(store: Store) -> None:
    one, two = record(), record()
    child = replace(record(), depends_on=(one.id, two.id))
    store.enqueue([one, two])
    store.enqueue([child])
    turns = Turns(store)
    first, second = turns.take(5)
    assert turns.settle(finished(first)) == []
    assert places(store, child.id) == ["deferred"]
    assert turns.settle(finished(second)) == []
    assert places(store, child.id) == ["queue"]


def test_a_call_of_the_script_is_bounded_by_its_parents_too() -> None:
    like = replace(record(), depends_on=tuple(f"parent-{n}" for n in range(100)))
    many = Batch(like, [(f"job-{n}", like.invocation) for n in range(50)])
    most = replace(record(), depends_on=tuple(f"parent-{n}" for n in range(1000)))
    calls = list(script_calls([many, Batch.of(most), Batch.of(record())], 0.0))
    own = [[value for value in call if str(value).startswith("job-")] for call in calls]
    assert max(map(len, own)) < 10
    assert [name for names in own for name in names] == [f"job-{n}" for n in range(50)]
    assert sum(call.count(most.id) for call in calls) == 1


def test_a_child_of_a_thousand_waits_for_the_last_of_them(store: Store) -> None:
    parents = [record() for _ in range(1000)]
    child = replace(record(), depends_on=tuple(one.id for one in parents))
    store.enqueue([*parents, child])
    turns = Turns(store)
    claims = turns.take(1000)
    for start in range(1, 1000, 100):
        assert turns.settle(*map(finished, claims[start : start + 100])) == []
    assert places(store, child.id) == ["deferred"]
    assert turns.settle(finished(claims[0])) == []
    assert places(store, child.id) == ["queue"]
    assert turns.settle(finished(turns.one())) == []


def test_a_child_of_what_has_finished_does_not_wait(store: Store) -> None:
    parent = record()
    store.enqueue([parent])
    turns = Turns(store)
    turns.settle(finished(turns.one()))
    child = replace(record(), depends_on=(parent.id,))
    store.enqueue([child])
    assert places(store, child.id) == ["queue"]


def test_a_parent_that_never_was_is_refused_and_nothing_enqueued(store: Store) -> None:
    child = replace(record(), depends_on=("nobody",))
    with pytest.raises(InvalidCall, match="there is no job 'nobody' to depend on"):
        store.enqueue([child])
    assert store.status(child.id) is None
    assert snapshot(store) == {}


def test_arguments_that_cannot_be_packed_stop_the_whole_call(store: Store) -> None:
    bad = replace(record(), invocation=Invocation("some.path", (lambda: None,)))
    with pytest.raises(InvalidCall, match=r"^call 1: the arguments of some\.path"):
        store.enqueue([record(), bad])
    assert snapshot(store) == {}


def test_a_chosen_id_that_waits_or_runs_is_left_alone(store: Store) -> None:
    first = replace(record(), id="mine", chosen=True)
    second = replace(first, invocation=Invocation("another.path"))
    store.enqueue([first])
    store.enqueue([second])
    assert queued(store) == ["mine"]
    claim = Turns(store).one()
    store.enqueue([second])
    assert queued(store) == []
    assert places(store, "mine") == ["wip"]
    assert claim.data is not None
    assert b"another.path" not in claim.data


@pytest.mark.parametrize("status", ["rate_limited", "ready_to_enqueue"])
def test_a_chosen_id_that_waits_as_rq_has_it_is_left_alone(
    store: Store, status: str
) -> None:
    first = replace(record(), id="mine", chosen=True)
    store.enqueue([first])
    store.link.command("LPOP", keys.queue("default"))
    store.link.command("HSET", keys.job("mine"), "status", status)
    store.enqueue([replace(first, invocation=Invocation("another.path"))])
    assert store.status("mine") == status
    store.link.command("DEL", keys.job("mine"))


@pytest.mark.parametrize("outcome", [finished, failed])
def test_a_chosen_id_may_be_used_again_once_its_job_has_ended(
    store: Store, outcome: Callable[[Claim], Outcome]
) -> None:
    first = replace(record(), id="mine", chosen=True)
    store.enqueue([first])
    turns = Turns(store)
    turns.settle(outcome(turns.one()))
    store.enqueue([first])
    assert places(store, "mine") == ["queue"]
    assert store.link.command("EXISTS", keys.results("mine")) == 0


def test_a_job_that_is_not_worth_starting_any_more_is_dropped(store: Store) -> None:
    job, other = replace(record(), ttl=100), record()
    store.enqueue([job, other])
    assert 0 < store.link.command("TTL", keys.job(job.id)) <= 100
    store.link.command("PEXPIRE", keys.job(job.id), 0)  # its time has passed
    assert [claim.job_id for claim in Turns(store).take(5)] == [other.id]


def test_a_repeated_call_whose_jobs_ran_meanwhile_runs_nothing_twice(
    store: Store, server: Server, tmp_path: Path
) -> None:
    kept = record()
    fleeting = replace(record(), result_ttl=0)
    chosen = replace(record(), id="mine", chosen=True)
    with proxied(server.socket, tmp_path / "p") as proxy:
        away = _store_at(store, proxy.url)
        proxy.lose("enqueue")
        away.enqueue([kept, fleeting, chosen])
        turns = Turns(store)
        turns.settle(*(finished(claim) for claim in turns.take(3)))
        before = snapshot(store)
        assert proxy.again().startswith(b"*3")
        away.link.close()
    assert snapshot(store) == before
    assert store.status(kept.id) is Status.FINISHED
    assert store.status(fleeting.id) is None
    assert queued(store) == []


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    ("job", "end"),
    [
        (replace(record(), failure_ttl=0), failed),
        (replace(record(), result_ttl=5), finished),
    ],
)
def test_a_repeated_call_whose_job_is_gone_already_runs_nothing_twice(
    store: Store,
    server: Server,
    tmp_path: Path,
    job: JobRecord,
    end: Callable[[Claim], Outcome],
    *,
    many: bool,
) -> None:
    jobs = [replace(job, id=f"{job.id}-{n}") for n in range(1 + many)]
    with proxied(server.socket, tmp_path / "p") as proxy:
        away = _store_at(store, proxy.url)
        proxy.lose("enqueue")
        away.enqueue(jobs)
        turns = Turns(store)
        turns.settle(*(end(claim) for claim in turns.take(2)))
        for one in jobs:
            store.link.command("DEL", keys.job(one.id), keys.results(one.id))
        assert proxy.again().startswith(b"*")
        away.link.close()
    assert [store.status(one.id) for one in jobs] == [None for _ in jobs]
    assert queued(store) == []


def test_a_repeated_call_is_not_refused_for_a_parent_that_went_meanwhile(
    store: Store, server: Server, tmp_path: Path
) -> None:
    parent = replace(record(), result_ttl=0)
    child = replace(record(), depends_on=(parent.id,))
    store.enqueue([parent])
    with proxied(server.socket, tmp_path / "p") as proxy:
        away = _store_at(store, proxy.url)
        proxy.lose("enqueue")
        away.enqueue([child])
        turns = Turns(store)
        turns.settle(finished(turns.one()))
        assert proxy.again() == b"*1\r\n:0\r\n"
        away.link.close()
    assert queued(store) == [child.id]
    assert leaks(store) == []


def _store_at(store: Store, url: str) -> Store:
    address = replace(store.link.address, url=url)
    return type(store)(address)


def test_many_jobs_without_a_result_are_all_written(store: Store) -> None:
    jobs = [replace(record(), result_ttl=0) for _ in range(450)]  # three script calls
    store.enqueue(jobs)
    assert queued(store) == [job.id for job in jobs]


def test_a_childs_ttl_begins_when_it_may_run(store: Store) -> None:
    parent = record()
    child = replace(record(), depends_on=(parent.id,), ttl=100)
    store.enqueue([parent, child])
    ttl = ("TTL", keys.job(child.id))
    assert store.link.command(*ttl) == -1
    turns = Turns(store)
    turns.settle(finished(turns.one()))
    assert queued(store) == [child.id]
    assert 0 < store.link.command(*ttl) <= 100


def test_what_waits_for_a_failed_job_is_noted_as_long_as_that_is_kept(
    store: Store,
) -> None:
    parent = replace(record(), id="mine", chosen=True)
    store.enqueue([parent])
    turns = Turns(store)
    turns.settle(failed(turns.one()))
    child = replace(record(), depends_on=("mine",))
    store.enqueue([child])
    ttl = ("TTL", keys.job("mine") + ":dependents")
    assert 0 < store.link.command(*ttl) <= 60
    store.enqueue([replace(parent)])  # once more: the child waits for this one
    assert store.link.command(*ttl) == -1
    turns.settle(finished(turns.one()))
    assert queued(store) == [child.id]
