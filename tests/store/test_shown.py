"""What RQ's readers see of jobs that run for some seconds, while they run."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import rq
from rq.executions import Execution

from flow import keys
from flow.record import FAILURE_TTL
from flow.store import running
from flow.store.client import Worker
from tests.support.turns import (
    OUTCOMES,
    Turns,
    finished,
    record,
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
OF_A_WORKER = "rq:worker:w:executions"


@pytest.fixture
def shown(store: Store, client: redis.Redis) -> tuple[Turns, Claim]:
    """Have one job run, and be shown as its worker's."""
    store.beat(Worker("w", ["default"], ["p"], {"state": "busy"}), 60)
    store.enqueue([record()])
    turns = Turns(store)
    claim = turns.one()
    assert executions(client) == []
    assert running.owned(store, [claim], "w") == [claim]
    return turns, claim


def executions(client: redis.Redis) -> list[str]:
    """Return all keys by which executions are seen."""
    found = [*client.scan_iter("rq:execution*"), *client.scan_iter("rq:worker:*:exec*")]
    return sorted(key.decode() for key in found)


def worker(client: redis.Redis) -> Untyped:
    (one,) = RQ.Worker.all(client)
    return one


def long(outcome: Outcome) -> Outcome:
    """Return the outcome of a job that took some seconds."""
    return replace(outcome, started=outcome.ended - 5)


def test_a_job_that_runs_is_its_workers_current_one_and_has_an_execution(
    shown: tuple[Turns, Claim], client: redis.Redis
) -> None:
    _, claim = shown
    seen = worker(client)
    assert seen.get_current_job().id == claim.job_id
    assert seen.current_execution_count == 1
    (one,) = RQ.job.Job.fetch(claim.job_id, client).get_executions()
    assert (one.id, one.worker_name) == (claim.execution, "w")
    assert seen.get_current_executions() == [one]
    assert abs(one.created_at.timestamp() - time.time()) < 60


def test_rq_2_finds_the_current_job_in_the_workers_hash(
    shown: tuple[Turns, Claim], client: redis.Redis
) -> None:
    turns, claim = shown
    key = keys.worker("w")
    assert client.hget(key, "current_job") == claim.job_id.encode()
    assert float(client.hget(key, "current_job_working_time") or "nan") < 60
    turns.settle(long(finished(claim)))
    assert client.hget(key, "current_job") is None


def test_what_is_shown_ends_by_itself_and_the_hash_after_its_entry(
    shown: tuple[Turns, Claim], client: redis.Redis
) -> None:
    _, claim = shown
    entry = client.zscore(f"rq:executions:{claim.job_id}", claim.execution)
    assert entry is not None
    lasts = client.ttl(f"rq:execution:{claim.job_id}:{claim.execution}")
    assert lasts > entry - time.time()
    assert all(client.ttl(key) > 0 for key in executions(client))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_nothing_of_it_is_seen_once_it_has_ended(
    shown: tuple[Turns, Claim],
    client: redis.Redis,
    outcome: Callable[[Claim], Outcome],
) -> None:
    turns, claim = shown
    assert turns.settle(long(outcome(claim))) == []
    assert executions(client) == []
    assert worker(client).get_current_job() is None


def test_a_clock_that_was_set_back_hides_it_all_the_same(
    shown: tuple[Turns, Claim], client: redis.Redis
) -> None:
    turns, claim = shown
    ended = finished(claim)
    turns.settle(replace(ended, started=ended.ended + 100))
    assert executions(client) == []


@pytest.mark.usefixtures("shown")
def test_a_dead_workers_jobs_are_its_current_ones_no_more(
    store: Store, client: redis.Redis
) -> None:
    (held,) = store.held(["default"])
    store.recover([(held, "crashed")], worker="", text="")
    assert executions(client) == []
    assert worker(client).get_current_job() is None


def test_a_job_that_rq_deleted_leaves_nothing_behind(
    shown: tuple[Turns, Claim], store: Store, client: redis.Redis
) -> None:
    turns, claim = shown
    RQ.job.Job.fetch(claim.job_id, client).delete()
    assert running.owned(store, [claim], "w") == []
    assert turns.settle(long(finished(claim))) == [(claim.job_id, "deleted")]
    assert list(client.scan_iter(f"*{claim.job_id}*")) == []
    assert store.held(["default"]) == []
    assert worker(client).get_current_job() is None


def test_a_job_that_rq_canceled_is_kept_for_a_while_only(
    shown: tuple[Turns, Claim], store: Store, client: redis.Redis
) -> None:
    turns, claim = shown
    RQ.job.Job.fetch(claim.job_id, client).cancel()
    # RQ's client finds the execution, and takes it out of the started registry itself.
    assert store.held(["default"]) == []
    assert running.owned(store, [claim], "w") == []
    assert executions(client) == []
    assert turns.settle(long(finished(claim))) == [(claim.job_id, "canceled")]
    assert 0 < client.ttl(keys.job(claim.job_id)) <= FAILURE_TTL


def test_rqs_command_to_stop_one_execution_finds_its_worker(
    shown: tuple[Turns, Claim], client: redis.Redis
) -> None:
    _, claim = shown
    found: Untyped = Execution.fetch(claim.execution, claim.job_id, client)
    assert found.worker_name == "w"


def test_a_worker_that_left_shows_nothing(
    shown: tuple[Turns, Claim], store: Store, client: redis.Redis
) -> None:
    store.leave(["p"], "w", ["default"])
    assert not client.exists(OF_A_WORKER)
    assert running.owned(store, [shown[1]], "w") == [shown[1]]
    assert not client.exists(keys.worker("w"))


def test_a_key_of_another_type_in_the_way_holds_up_nobody(
    store: Store, client: redis.Redis
) -> None:
    store.enqueue([record(), record()])
    turns = Turns(store)
    spoilt, other = turns.take(2)
    client.set(f"rq:executions:{spoilt.job_id}", "spoilt", ex=60)
    assert running.owned(store, [spoilt, other], "w") == [spoilt, other]
    assert len(RQ.job.Job.fetch(other.job_id, client).get_executions()) == 1
    assert turns.settle(long(finished(spoilt)), long(finished(other))) == []
    assert executions(client) == [f"rq:executions:{spoilt.job_id}"]
