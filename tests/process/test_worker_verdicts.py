"""What a job's own words do: flow.Retry, flow.Discard, retry_on and give_up_on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import rq.job
from rq.registry import CanceledJobRegistry

from flow import Discard, Job, JobCancelled, JobFailed, Queue, keys
from flow.record import Status
from tests.support import verdicts
from tests.support.leaks import places

if TYPE_CHECKING:
    import redis

    from flow.store.client import Store
    from tests.support.faults import Yard

APP = "tests.support.verdicts"
LONG = 60.0  # seconds a wait may take at most


def field(store: Store, job_id: str, name: str) -> str:
    value = store.link.command("HGET", keys.job(job_id), name)
    return value.decode() if value else ""


def due(store: Store, job_id: str) -> float:
    """Return when a job runs that waits for an instant, unix seconds."""
    key = keys.registry(Status.SCHEDULED, "default")
    return float(store.link.command("ZSCORE", key, job_id))


def test_a_job_that_asks_runs_again_and_its_retries_are_the_limit(yard: Yard) -> None:
    ends = verdicts.ask.enqueue(yard.ledger, "a", 2)
    never = verdicts.ask.enqueue(yard.ledger, "b", 99)
    said = yard.burst(app=APP)
    assert ends.result(0) == "a at try 3"
    with pytest.raises(JobFailed, match="No retries are left") as failed:
        never.result(0)
    assert "flow.errors.Retry: b is not there yet" in failed.value.traceback
    assert sorted(yard.noted()) == ["a"] * 3 + ["b"] * 3
    assert "again in 0.0 s: tests.support.verdicts.ask: a is not there yet" in said


def test_a_job_without_retries_may_ask_ten_times(yard: Yard) -> None:
    job = verdicts.ask.options(retries=0).enqueue(yard.ledger, "a", 10)
    beyond = verdicts.ask.options(retries=0).enqueue(yard.ledger, "b", 11)
    error = verdicts.ask_then_fail.enqueue(yard.ledger)
    yard.burst(app=APP)
    assert job.result(0) == "a at try 11"
    with pytest.raises(JobFailed, match="No retries are left"):
        beyond.result(0)
    # Having asked gives it no retries after an error.
    with pytest.raises(JobFailed, match="ValueError: no"):
        error.result(0)
    assert yard.noted().count("ask_then_fail") == 2


def test_an_asked_delay_is_kept_and_the_job_is_no_failure(
    yard: Yard, store: Store
) -> None:
    job = verdicts.ask_later.enqueue()
    yard.burst(app=APP)
    assert job.status is Status.SCHEDULED
    now = float(store.link.command("TIME")[0])
    assert now + 3000 < due(store, job.id) <= now + 3601
    assert field(store, job.id, "flow_attempts") == "1"
    assert field(store, job.id, "flow_error") == "the job asked to run again"


@pytest.mark.parametrize("name", ["plain", "coroutine"])
def test_a_discarded_job_is_canceled_with_its_reason(
    yard: Yard, store: Store, client: redis.Redis, name: str
) -> None:
    job: Job[None] = getattr(verdicts, f"discard_{name}").enqueue("the\norder is gone")
    child = verdicts.nothing.options(depends_on=job).enqueue()
    said = yard.burst(app=APP)
    with pytest.raises(JobCancelled, match="discarded itself: the order is gone") as it:
        job.result(0)
    assert it.value.reason == "the order is gone"
    assert places(store, job.id) == ["canceled"]
    assert "discarded: tests.support.verdicts.discard_" in said
    assert child.status is Status.DEFERRED
    theirs = rq.job.Job.fetch(job.id, connection=client)
    assert theirs.is_canceled
    registry = CanceledJobRegistry("default", connection=client)
    assert job.id in registry.get_job_ids()
    assert store.link.command("TTL", keys.job(job.id)) > 31_000_000


def test_a_waiting_caller_hears_of_a_discard_without_a_reason(yard: Yard) -> None:
    with yard.worker(app=APP):
        job = verdicts.discard_plain.enqueue("")
        with pytest.raises(JobCancelled, match=f"job {job.id} discarded itself$") as it:
            job.result(LONG)
    assert it.value.reason == ""


def test_a_job_that_asked_or_gave_up_while_its_worker_stops_is_not_interrupted(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    jobs = [
        verdicts.hold_then.enqueue(yard.ledger, gate, word)
        for word in ("retry", "discard")
    ]
    with yard.worker(processes=2, app=APP) as worker:
        yard.running(2)
        worker.terminate()
        yard.said("worker stops")
        gate.touch()
        assert worker.wait(LONG) == 0
    assert [job.status for job in jobs] == [Status.SCHEDULED, Status.CANCELED]
    assert field(store, jobs[0].id, "flow_attempts") == "1"


def test_only_the_errors_of_retry_on_are_retried(yard: Yard) -> None:
    kinds = ["ConnectionResetError", "BrokenPipeError", "ValueError", "SoftTimeout"]
    jobs = [verdicts.picky.enqueue(yard.ledger, kind) for kind in kinds]
    yard.burst(app=APP)
    assert [job.status for job in jobs] == [Status.FAILED] * 4
    tries = [yard.noted().count(kind) for kind in kinds]
    # The first is a ConnectionError; the second is one too, but is given up on.
    assert tries == [3, 1, 1, 1]


def test_given_up_on_alone_leaves_all_other_errors_retried(yard: Yard) -> None:
    kinds = ["ConnectionResetError", "SoftTimeout", "ValueError"]
    jobs = [verdicts.stubborn.enqueue(yard.ledger, kind) for kind in kinds]
    yard.burst(app=APP)
    assert [job.status for job in jobs] == [Status.FAILED] * 3
    assert [yard.noted().count(kind) for kind in kinds] == [2, 2, 1]


def test_a_requeued_job_that_is_then_cancelled_did_not_discard_itself(
    yard: Yard, store: Store
) -> None:
    job = verdicts.discard_plain.enqueue("no order")
    yard.burst(app=APP)
    store.link.command("HSET", keys.job(job.id), "status", "queued")
    store.link.command("RPUSH", keys.queue("default"), job.id)
    assert job.cancel()
    with pytest.raises(JobCancelled, match="was cancelled") as cancelled:
        job.result(0)
    assert cancelled.value.reason is None


def test_a_job_that_no_task_declares_may_use_them_too(yard: Yard) -> None:
    job = Queue("default").enqueue("tests.support.verdicts.undeclared")
    yard.burst(app=APP)
    with pytest.raises(JobCancelled, match="discarded itself: undeclared"):
        job.result(0)


def test_outside_of_a_job_they_are_errors_like_others() -> None:
    with pytest.raises(Discard, match="no order"):
        verdicts.discard_plain("no order")
