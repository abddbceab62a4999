"""A dead letter whose process died: who tells its failure callback and its webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.store import running
from tests.support.apps import RQ, Shop, Untyped, heard
from tests.support.leaks import queued
from tests.support.shop import callbacks, plain, tasks
from tests.support.turns import Turns, failed, finished, stopped

if TYPE_CHECKING:
    from flow.store.client import Store


def test_the_failure_callback_of_a_job_whose_process_died_is_run_by_another(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    (shop.folder / "pyproject.toml").write_text("[tool.flow]\nstrict = true\n")
    failed = RQ.Callback(f"{tasks.__name__}.heard_failure")
    died = queue.enqueue(tasks.vanish, 3, on_failure=failed)
    silent = queue.enqueue(tasks.vanish, 4)
    said = shop.work()
    (told,) = heard(client, died)
    assert told.startswith("failed: rq.exceptions.AbandonedJobError: ")
    assert told.endswith("ProcessLost: the job's process died: exit code 3")
    assert died.get_status().value == silent.get_status().value == "failed"
    assert "exit code 4" in silent.latest_result().exc_string
    # The job that told it has left nothing.
    assert sorted(client.keys("rq:job:*")) == sorted(
        [died.key.encode(), silent.key.encode()]
    )
    assert "a failure callback failed" not in said


def test_it_is_enqueued_in_the_step_that_makes_the_dead_letter(
    store: Store, queue: Untyped, client: Untyped
) -> None:
    failure = RQ.Callback(callbacks.failed)
    plainly = queue.enqueue(plain.add, 1)
    told = queue.enqueue(plain.add, 1, on_failure=failure, on_success=failure)
    turns = Turns(store)
    claims = turns.take(2)
    assert [claim.job_id for claim in claims] == [plainly.id, told.id]
    held = [(one, "crashed") for one in store.held(["default"])]
    for _ in range(2):  # a repeat adds nothing
        store.recover(held, worker="w", text="it died", crashes=1)
    (own,) = queued(store)
    assert own == f"{told.id}-{claims[1].execution}"
    seen = RQ.job.Job.fetch(own, connection=client)
    assert (seen.func_name, seen.args) == (
        "flow.workers.aftermath.tell",
        (told.id, "it died"),
    )
    client.delete(seen.key)


def test_the_callback_of_a_killed_job_is_enqueued_in_the_step_that_settles_it(
    store: Store, queue: Untyped, client: Untyped
) -> None:
    late = queue.enqueue(plain.add, 1, on_failure=RQ.Callback(callbacks.failed))
    ended = queue.enqueue(plain.add, 1, on_stopped=RQ.Callback(callbacks.stopped))
    queue.enqueue(plain.add, 1, on_failure=RQ.Callback(callbacks.failed))
    turns = Turns(store)
    claims = turns.take(3)
    outcomes = [failed(claims[0]), stopped(claims[1]), stopped(claims[2])]
    for outcome, how in zip(outcomes, ("timeout", "stopped", "stopped"), strict=True):
        for _ in range(2):  # a repeat adds nothing
            told = running.judge(store, outcome, worker="w", text="killed", how=how)
            assert told is None
    own = [
        f"{job.id}-{claim.execution}"
        for job, claim in zip((late, ended), claims, strict=False)
    ]
    assert queued(store) == own[::-1]
    calls = [RQ.job.Job.fetch(name, connection=client).args for name in own]
    assert calls == [(late.id, "killed", "timeout"), (ended.id, "killed", "stopped")]
    taken = turns.take(2)
    assert turns.settle(*(finished(claim, ttl=0) for claim in taken)) == []


def test_a_callback_that_fails_then_is_logged(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    job = queue.enqueue("flow.workers.aftermath.tell", "gone", "it died", result_ttl=60)
    broken = queue.enqueue(plain.wait, on_failure=RQ.Callback(callbacks.broken))
    client.lrem("rq:queue:default", 0, broken.id)
    client.hset(broken.key, "status", "failed")
    client.expire(broken.key, 60)
    again = queue.enqueue("flow.workers.aftermath.tell", broken.id, "it died")
    said = shop.work()
    assert job.get_status().value == again.get_status().value == "finished"
    assert f"callback is broken (job {broken.id})" in said


def test_a_job_that_was_killed_after_its_timeout_tells_that_it_was_its_timeout(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    failed = RQ.Callback(callbacks.failed)
    job = queue.enqueue(callbacks.hang_in_c, job_timeout=1, on_failure=failed)
    shop.work("--kill-after", "0.5")
    (told,) = heard(client, job)
    assert told.startswith("failed: rq.timeouts.JobTimeoutException: Task exceeded")
    assert job.get_status().value == "failed"
    assert client.keys(f"rq:job:{job.id}-*") == []
