"""RQ's verbs on jobs that a process has claimed, runs, or is about to settle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import rq
from rq.job import Dependency

from flow import keys
from flow.queue import new_id
from flow.record import Invocation, JobRecord, Status
from flow.store import running
from tests.support.leaks import places, queued
from tests.support.turns import (
    OUTCOMES,
    Turns,
    failed,
    finished,
    record,
    stopped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from flow.outcome import Outcome
    from flow.record import Claim
    from flow.store.client import Store

# RQ is typed in part, so that strict checkers refuse each use of it.
Untyped = Any
RQ: Untyped = rq
After: Untyped = Dependency


def claimed(store: Store) -> tuple[Turns, Claim]:
    """Have one job claimed."""
    store.enqueue([record()])
    turns = Turns(store)
    return turns, turns.one()


def by_rq(client: redis.Redis, job_id: str) -> Untyped:
    return RQ.job.Job.fetch(job_id, connection=client)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_job_that_rq_canceled_while_it_settled_stays_canceled(
    store: Store, client: redis.Redis, outcome: Callable[[Claim], Outcome]
) -> None:
    turns, claim = claimed(store)
    by_rq(client, claim.job_id).cancel()
    assert turns.settle(outcome(claim)) == [(claim.job_id, "canceled")]
    assert places(store, claim.job_id) == ["canceled"]
    assert store.status(claim.job_id) is Status.CANCELED
    assert not client.exists(keys.results(claim.job_id))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_of_a_job_that_rq_deleted_while_it_settled_nothing_comes_back(
    store: Store, client: redis.Redis, outcome: Callable[[Claim], Outcome]
) -> None:
    turns, claim = claimed(store)
    by_rq(client, claim.job_id).delete()
    assert turns.settle(outcome(claim)) == [(claim.job_id, "deleted")]
    assert places(store, claim.job_id) == []
    assert list(client.scan_iter(f"*{claim.job_id}*")) == []


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_a_claimed_job_that_was_taken_away_does_not_go_back(
    store: Store, client: redis.Redis, verb: str
) -> None:
    _, claim = claimed(store)
    assert running.owned(store, [claim], "ours") == [claim]
    getattr(by_rq(client, claim.job_id), verb)()
    assert running.owned(store, [claim], "ours") == []
    assert store.unclaim([claim]) == []
    assert queued(store) == []
    assert store.held(["default"]) == []


def test_a_job_that_must_not_run_twice_does_not_begin_once_it_was_deleted(
    store: Store, client: redis.Redis
) -> None:
    _, claim = claimed(store)
    by_rq(client, claim.job_id).delete()
    assert store.protect(claim) is False
    assert list(client.scan_iter("rq:wip:*")) == []


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_what_a_dead_process_held_and_was_taken_away_does_not_come_back(
    store: Store, client: redis.Redis, verb: str
) -> None:
    _, claim = claimed(store)
    getattr(by_rq(client, claim.job_id), verb)()
    (held,) = store.held(["default"])
    assert running.described(store, held) is None
    assert store.recover([(held, "crashed")], worker="w", text="") == ([], [])
    assert store.held(["default"]) == []


def test_a_job_that_runs_cannot_be_requeued_and_runs_once(
    store: Store, client: redis.Redis
) -> None:
    turns, claim = claimed(store)
    with pytest.raises(RQ.exceptions.InvalidJobOperation):
        RQ.job.requeue_job(claim.job_id, client)
    assert turns.settle(finished(claim)) == []
    assert turns.take(1) == []


def test_what_was_requeued_is_not_settled_by_the_execution_before(
    store: Store, client: redis.Redis
) -> None:
    turns, claim = claimed(store)
    turns.settle(failed(claim))
    RQ.job.requeue_job(claim.job_id, client)
    assert turns.settle(finished(claim)) == [(claim.job_id, "lost")]
    second = turns.one()
    assert second.execution != claim.execution
    assert turns.settle(finished(second)) == []
    assert places(store, claim.job_id) == ["finished"]


def test_a_stopped_job_is_a_dead_letter_that_rq_calls_stopped(
    store: Store, client: redis.Redis
) -> None:
    turns, claim = claimed(store)
    assert turns.settle(stopped(claim)) == []
    assert places(store, claim.job_id) == ["failed"]
    seen = by_rq(client, claim.job_id)
    assert seen.is_stopped
    assert "stopped" in seen.latest_result().exc_string
    RQ.job.requeue_job(claim.job_id, client)
    assert turns.settle(finished(turns.one())) == []


def test_what_waits_for_a_stopped_job_goes_on_waiting_whatever_it_allows(
    store: Store, client: redis.Redis
) -> None:
    queue = RQ.Queue(connection=client)
    parent = queue.enqueue("tests.support.shop.plain.add", 1)
    despite = After([parent], allow_failure=True)
    child = queue.enqueue("tests.support.shop.plain.add", 1, depends_on=despite)
    turns = Turns(store)
    turns.settle(stopped(turns.one()))
    assert queued(store) == []
    assert places(store, child.id) == ["deferred"]
    child.delete()


def test_what_a_process_holds_is_described_as_it_claimed_it(store: Store) -> None:
    job = JobRecord(
        new_id(),
        Invocation("tests.support.shop.plain.add", (1,)),
        "default",
        timeout=0.5,
        retries=2,
        intervals=(1.0, 2.0),
    )
    store.enqueue([job])
    claim = Turns(store).one()
    (held,) = store.held(["default"])
    assert running.described(store, held) == claim
