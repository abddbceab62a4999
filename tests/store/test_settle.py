"""exchange.lua, the half that settles: an outcome becomes the job's state, once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import rq.job

from flow import codec, keys
from flow.record import Status
from tests.support.leaks import leaks, places, queued, snapshot
from tests.support.promoting import promote
from tests.support.turns import (
    Turns,
    discarded,
    failed,
    finished,
    interrupted,
    postponed,
    record,
    retried,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from flow.outcome import Outcome
    from flow.record import Claim
    from flow.store.client import Store

YEAR = 31_536_000


def ttl(store: Store, key: str) -> int:
    return int(store.link.command("TTL", key))


def field(store: Store, job_id: str, name: str) -> str:
    value = store.link.command("HGET", keys.job(job_id), name)
    return value.decode() if value else ""


def test_a_finished_job_keeps_its_result_where_rq_reads_it(
    store: Store, client: redis.Redis
) -> None:
    job = record()
    store.enqueue([job])
    turns = Turns(store)
    turns.settle(finished(turns.one(), {"a": [1, None]}))
    assert places(store, job.id) == ["finished"]
    assert 0 < ttl(store, keys.job(job.id)) <= 500
    assert 0 < ttl(store, keys.results(job.id)) <= 500
    fetched = rq.job.Job.fetch(job.id, connection=client)
    assert fetched.return_value() == {"a": [1, None]}
    assert leaks(store) == []


def test_a_result_with_a_ttl_of_zero_leaves_nothing(store: Store) -> None:
    store.enqueue([replace(record(), result_ttl=0)])
    turns = Turns(store)
    turns.settle(finished(turns.one(), "unread"))
    assert store.link.command("KEYS", "rq:*") == [b"rq:queues"]


def test_a_result_without_an_end_is_kept_for_ever(store: Store) -> None:
    job = replace(record(), result_ttl=-1)
    store.enqueue([job])
    turns = Turns(store)
    turns.settle(finished(turns.one(), 5))
    assert ttl(store, keys.job(job.id)) == ttl(store, keys.results(job.id)) == -1
    score = store.link.command("ZSCORE", keys.registry("finished", "default"), job.id)
    assert float(score) == float("inf")


@pytest.mark.parametrize("kept", [60, YEAR])
def test_a_failure_is_kept_as_long_as_it_says(store: Store, kept: int) -> None:
    job = record()
    store.enqueue([job])
    turns = Turns(store)
    turns.settle(failed(turns.one(), "Traceback\nValueError: no", kept))
    assert places(store, job.id) == ["failed"]
    assert kept - 5 < ttl(store, keys.job(job.id)) <= kept
    assert kept - 5 < ttl(store, keys.results(job.id)) <= kept


def test_a_failure_without_an_end_is_kept_as_rq_keeps_it(store: Store) -> None:
    job = replace(record(), failure_ttl=-1)
    store.enqueue([job])
    turns = Turns(store)
    turns.settle(failed(turns.one(), ttl=-1))
    score = store.link.command("ZSCORE", keys.registry("failed", "default"), job.id)
    assert (float(score), ttl(store, keys.job(job.id))) == (-1, -1)


def test_a_retry_goes_back_at_once_and_is_counted(store: Store) -> None:
    job = replace(record(), retries=2)
    store.enqueue([job, record()])
    turns = Turns(store)
    turns.settle(retried(turns.one()))
    assert queued(store)[-1] == job.id  # behind what waits
    turns.take(1)
    claim = turns.one()
    assert (claim.retries_left, claim.attempts) == (1, 1)


def test_a_retry_with_a_delay_waits_among_the_scheduled(store: Store) -> None:
    job = replace(record(), retries=1)
    store.enqueue([job])
    turns = Turns(store)
    turns.settle(retried(turns.one(), delay=30.5))
    assert places(store, job.id) == ["scheduled"]
    score = store.link.command("ZSCORE", keys.registry("scheduled", "default"), job.id)
    assert 20 < float(score) - time.time() <= 30.5


@pytest.mark.parametrize("kept", [60, -1])
def test_a_discarded_job_is_canceled_and_kept_as_a_failure_is(
    store: Store, kept: int
) -> None:
    job = replace(record(), failure_ttl=kept)
    store.enqueue([job])
    turns = Turns(store)
    turns.settle(discarded(turns.one(), "no\x00order", kept))
    assert places(store, job.id) == ["canceled"]
    assert field(store, job.id, "flow_discarded") == "no\x00order"
    assert kept - 5 < ttl(store, keys.job(job.id)) <= kept
    assert not store.link.command("EXISTS", keys.results(job.id))


def test_a_discarded_job_that_nobody_keeps_leaves_nothing(store: Store) -> None:
    store.enqueue([replace(record(), failure_ttl=0)])
    turns = Turns(store)
    turns.settle(discarded(turns.one(), ttl=0))
    assert store.link.command("KEYS", "rq:*") == [b"rq:queues"]


def test_dependents_of_a_discarded_job_wait_on_as_in_rq(store: Store) -> None:
    parent = record()
    careless, careful = (replace(record(), depends_on=(parent.id,)) for _ in range(2))
    store.enqueue([parent])
    store.enqueue([careless, careful])
    store.link.command("HSET", keys.job(careless.id), "allow_dependency_failures", "1")
    turns = Turns(store)
    turns.settle(discarded(turns.one()))
    for child in (careless, careful):
        assert places(store, child.id) == ["deferred"]


def test_an_unknown_task_is_put_off_uncounted_since_its_first_time(
    store: Store,
) -> None:
    job = replace(record(), retries=1)
    store.enqueue([job])
    turns = Turns(store)
    turns.settle(postponed(turns.one(), delay=-1))
    promote(store)
    first = turns.one()
    assert first.unknown_since is not None
    turns.settle(postponed(first, delay=-1))
    promote(store)
    second = turns.one()
    assert second.unknown_since == first.unknown_since
    assert (second.retries_left, second.attempts) == (1, 0)


def test_an_interrupted_job_goes_back_to_the_head_uncounted(store: Store) -> None:
    jobs = [replace(record(), retries=1) for _ in range(2)]
    store.enqueue(jobs)
    turns = Turns(store)
    turns.settle(interrupted(turns.one()))
    assert queued(store) == [job.id for job in jobs]
    claim = turns.one()
    assert (claim.retries_left, claim.attempts) == (1, 0)


def test_an_outcome_of_a_canceled_job_is_refused(store: Store) -> None:
    job = record()
    store.enqueue([job])
    turns = Turns(store)
    claim = turns.one()
    # As RQ's cancel() leaves a job without an execution of RQ's own.
    store.link.command("HSET", keys.job(job.id), "status", "canceled")
    store.link.command("EXPIRE", keys.job(job.id), 60)
    assert turns.settle(finished(claim, 1)) == [(job.id, "canceled")]
    assert store.status(job.id) is Status.CANCELED
    assert places(store, job.id) == []


def test_an_outcome_of_a_deleted_job_is_refused_and_writes_nothing(
    store: Store,
) -> None:
    job = record()
    store.enqueue([job])
    turns = Turns(store)
    claim = turns.one()
    store.link.command("DEL", keys.job(job.id))
    assert turns.settle(finished(claim, 1)) == [(job.id, "deleted")]
    assert store.link.command("KEYS", "rq:*") == [b"rq:queues"]


def test_an_outcome_of_a_lost_execution_is_refused(store: Store) -> None:
    job = record()
    store.enqueue([job])
    slow, other = Turns(store), Turns(store)
    claim = slow.one()
    store.unclaim([claim])  # as a recoverer would
    again = other.one()
    assert again.job_id == job.id
    assert slow.settle(finished(claim, "late")) == [(job.id, "lost")]
    assert places(store, job.id) == ["wip"]
    assert other.settle(finished(again, "right")) == []
    assert places(store, job.id) == ["finished"]


@pytest.mark.parametrize("second", [finished, failed, retried, interrupted, postponed])
def test_an_outcome_is_taken_once(
    store: Store, second: Callable[[Claim], Outcome]
) -> None:
    job = record()
    store.enqueue([job])
    turns = Turns(store)
    claim = turns.one()
    turns.settle(finished(claim, 1))
    before = store.link.command("HGETALL", keys.job(job.id))
    assert turns.settle(second(claim)) == [(job.id, "lost")]
    assert store.link.command("HGETALL", keys.job(job.id)) == before
    assert places(store, job.id) == ["finished"]


def test_two_outcomes_of_one_execution_in_one_turn_count_once(store: Store) -> None:
    job = record()
    store.enqueue([job])
    turns = Turns(store)
    claim = turns.one()
    assert turns.settle(retried(claim), finished(claim)) == [(job.id, "lost")]
    assert places(store, job.id) == ["queue"]


def test_a_repeated_turn_settles_once_and_is_answered_the_same(store: Store) -> None:
    done, lost, waiting = record(), record(), record()
    store.enqueue([done, lost, waiting])
    turns = Turns(store)
    first, second = turns.take(2)
    store.link.command("DEL", keys.job(lost.id))
    ask = turns.ask(2, [retried(first, delay=60), finished(second)])
    answer = store.exchange(ask)
    before = snapshot(store)
    assert answer[0] == [(lost.id, "deleted")]
    assert [claim.job_id for claim in answer[1]] == [waiting.id]
    assert store.exchange(ask) == answer
    assert snapshot(store) == before


def test_many_outcomes_and_claims_go_in_one_turn(store: Store) -> None:
    jobs = [record() for _ in range(400)]
    store.enqueue(jobs)
    turns = Turns(store)
    claims = turns.take(200)
    more = turns.take(200, *(finished(claim, "x" * 100) for claim in claims))
    assert turns.settle(*(finished(claim) for claim in more)) == []
    assert {store.status(job.id) for job in jobs} == {Status.FINISHED}


def test_a_failure_leaves_its_children_waiting(store: Store) -> None:
    parent = record()
    child = replace(record(), depends_on=(parent.id,))
    store.enqueue([parent])
    store.enqueue([child])
    turns = Turns(store)
    turns.settle(failed(turns.one()))
    assert places(store, child.id) == ["deferred"]


def test_a_child_that_allows_failures_runs_after_one(store: Store) -> None:
    parent = record()
    child = replace(record(), depends_on=(parent.id,))
    store.enqueue([parent])
    store.enqueue([child])
    store.link.command("HSET", keys.job(child.id), "allow_dependency_failures", 1)
    turns = Turns(store)
    turns.settle(failed(turns.one()))
    assert places(store, child.id) == ["queue"]


@pytest.mark.leaves_keys("a set of somebody else's")
def test_a_spoilt_key_in_the_way_of_one_outcome_does_not_stop_the_others(
    store: Store,
) -> None:
    spoilt, job = record(), record()
    store.enqueue([spoilt, job])
    turns = Turns(store)
    first, second = turns.take(2)
    store.link.command("SET", keys.results(spoilt.id), "no stream")
    ((refused, why),) = turns.settle(finished(first, 1), finished(second, 2))
    assert refused == spoilt.id
    assert why.startswith("kept from it by ")
    assert "WRONGTYPE" in why
    assert places(store, spoilt.id) == ["failed"]
    assert places(store, job.id) == ["finished"]


def test_a_text_beyond_ascii_and_a_large_result_come_back(store: Store) -> None:
    job, large = record(), record()
    store.enqueue([job, large])
    turns = Turns(store)
    first, second = turns.take(2)
    value = bytes(5_000_000)
    turns.settle(
        failed(first, "Fehler: \u00fc\U0001f600 \udcff"), finished(second, value)
    )
    (entry,) = store.link.command("XRANGE", keys.results(job.id), "-", "+")
    assert "\u00fc\U0001f600 ?" in codec.unpack_failure(entry[1][b"exc_string"])
    (entry,) = store.link.command("XRANGE", keys.results(large.id), "-", "+")
    assert codec.unpack_result(entry[1][b"return_value"]) == value
    assert field(store, large.id, "status") == "finished"
