"""RQ's callbacks in flow's workers: what RQ's own worker would do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow.workers import callbacks as run
from tests.support.apps import RQ, Shop, Untyped, heard
from tests.support.shop import callbacks, plain, tasks
from tests.support.turns import Turns, stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store

WORKERS: dict[str, Callable[[Shop], str]] = {
    "flow": Shop.work,
    "rq": lambda shop: shop.rq_work("--worker-class", "rq.worker.SimpleWorker"),
}
LEAVES = pytest.mark.leaves_keys("RQ's worker keeps a failure's results for ever")
SLOW = "Task exceeded maximum timeout value (1 seconds)"


def end(job: Untyped) -> tuple[str, str]:
    """Return a job's status and the last line of its failure, if it has one."""
    result = job.latest_result()
    told = (result.exc_string or "") if result else ""
    return job.get_status().value, told.strip().rpartition("\n")[2]


@pytest.mark.parametrize("worker", WORKERS)
def test_a_callback_may_save_its_job(
    worker: str, shop: Shop, queue: Untyped, client: Untyped
) -> None:
    saves = RQ.Callback(callbacks.saves)
    well = queue.enqueue(plain.add, 1, on_success=saves)
    badly = queue.enqueue(plain.explode, "it", on_failure=saves, failure_ttl=60)
    WORKERS[worker](shop)
    ended = {"finished": well, "failed": badly}
    for status, job in ended.items():
        job.refresh()
        assert (job.get_status().value, job.meta) == (status, {"seen": status})
        assert client.zscore(f"rq:{status}:default", job.id)
        assert client.ttl(job.key) > 0
    assert well.return_value() == 1


@pytest.mark.parametrize("worker", ["flow", pytest.param("rq", marks=LEAVES)])
def test_callbacks_mean_what_they_mean_to_rqs_worker(
    worker: str, shop: Shop, queue: Untyped, client: Untyped
) -> None:
    succeeded, failed = RQ.Callback(callbacks.succeeded), RQ.Callback(callbacks.failed)
    both = {"on_success": succeeded, "on_failure": failed}
    broken, late = RQ.Callback(callbacks.broken), RQ.Callback(callbacks.endless, 1)
    coroutine = RQ.Callback(callbacks.coroutine)
    gone = RQ.Callback("tests.support.shop.callbacks.gone")
    jobs = [
        queue.enqueue(plain.add, 1, other=2, **both),
        queue.enqueue(plain.slow_add, 1, 3, **both),
        queue.enqueue(plain.explode, "it", **both),
        queue.enqueue(plain.explode, "it", retry=RQ.Retry(max=1), **both),
        queue.enqueue(plain.wait, job_timeout=1, **both),
        # What a callback raises counts.
        queue.enqueue(plain.add, 1, **{**both, "on_success": broken}),
        queue.enqueue(plain.explode, "it", on_failure=broken),
        queue.enqueue(plain.add, 1, **{**both, "on_success": late}),
        queue.enqueue(plain.add, 1, on_success=coroutine),
        queue.enqueue(plain.add, 1, on_success=gone),
        # Two that hear nothing.
        queue.enqueue(plain.explode, "it", on_success=succeeded),
        queue.enqueue(plain.add, 1, on_failure=failed),
        queue.enqueue(plain.add, 1, result_ttl=0, **both),
    ]
    WORKERS[worker](shop)
    exploded = "failed: builtins.RuntimeError: it exploded"
    broke = "builtins.RuntimeError: the callback is broken"
    assert [heard(client, job) for job in jobs] == [
        ["finished: tests.support.shop.plain.add returned 3"],
        ["finished: tests.support.shop.plain.slow_add returned 4"],
        [exploded],
        [exploded, exploded],
        [f"failed: rq.timeouts.JobTimeoutException: {SLOW}"],
        [f"failed: {broke}"],
        [],
        [f"failed: rq.timeouts.JobTimeoutException: {SLOW}"],
        [],
        [],
        [],
        [],
        ["finished: tests.support.shop.plain.add returned 1"],
    ]
    assert [end(job) for job in jobs[:-1]] == [
        ("finished", ""),
        ("finished", ""),
        ("failed", "RuntimeError: it exploded"),
        ("failed", "RuntimeError: it exploded"),
        ("failed", f"rq.timeouts.JobTimeoutException: {SLOW}"),
        ("failed", "RuntimeError: the callback is broken"),
        ("failed", "RuntimeError: the callback is broken"),
        ("failed", f"rq.timeouts.JobTimeoutException: {SLOW}"),
        ("failed", "TypeError: Coroutine success callbacks are not supported"),
        ("failed", "ValueError: Invalid attribute name: gone"),
        ("failed", "RuntimeError: it exploded"),
        ("finished", ""),
    ]
    assert not client.exists(f"rq:job:{jobs[-1].id}")


def test_they_run_beside_threads_and_the_event_loop_too(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    succeeded, failed = RQ.Callback(callbacks.succeeded), RQ.Callback(callbacks.failed)
    both = {"on_success": succeeded, "on_failure": failed}
    jobs = [
        queue.enqueue(plain.add, 1, **both),
        queue.enqueue(plain.explode, "it", **both),
        queue.enqueue(plain.slow_add, "a", 1, **both),
    ]
    shop.work("--threads", "3")
    assert [heard(client, job) for job in jobs[:2]] == [
        ["finished: tests.support.shop.plain.add returned 1"],
        ["failed: builtins.RuntimeError: it exploded"],
    ]
    (told,) = heard(client, jobs[2])
    assert told.startswith("failed: builtins.TypeError")


def test_what_cannot_be_loaded_or_pickled_is_a_failure_to_them(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    (shop.folder / "halfway.py").write_text("raise RuntimeError('no licence')")
    failed = RQ.Callback(callbacks.failed)
    unloaded = queue.enqueue("halfway.go", on_failure=failed)
    unpickled = queue.enqueue("threading.Lock", on_failure=failed)
    shop.work()
    assert heard(client, unloaded) == ["failed: builtins.RuntimeError: no licence"]
    assert end(unloaded) == ("failed", "RuntimeError: no licence")
    (told,) = heard(client, unpickled)
    assert told.startswith("failed: flow.errors.InvalidCall: the result, a lock")
    assert end(unpickled)[0] == "failed"


def test_a_job_that_is_deleted_while_it_runs_calls_nobody(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    succeeded = RQ.Callback(callbacks.succeeded)
    job = queue.enqueue(callbacks.delete_me, on_success=succeeded)
    shop.work()
    assert not client.exists(job.key, f"told:{job.id}")


def test_the_callback_for_a_stopped_job_is_there_for_who_stops_it(
    store: Store, queue: Untyped, client: Untyped
) -> None:
    turns = Turns(store)
    job = queue.enqueue(plain.wait, on_stopped=RQ.Callback(callbacks.stopped))
    queue.enqueue(plain.wait, on_stopped=RQ.Callback(callbacks.broken))
    told, broken = turns.take(2)
    run.stopped(told)
    assert heard(client, job) == ["stopped: tests.support.shop.plain.wait"]
    run.stopped(broken)  # says so, and raises nothing
    turns.settle(stopped(told), stopped(broken))
    run.was_stopped("gone")


def test_strict_allows_declared_tasks_alone_as_callbacks(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    (shop.folder / "pyproject.toml").write_text("[tool.flow]\nstrict = true\n")
    (shop.folder / "harm.py").write_text("open('harm', 'w').close()")
    harm = RQ.Callback("harm.done")
    job = queue.enqueue(tasks.resize, "cat.png", on_success=harm, on_failure=harm)
    told = queue.enqueue(
        tasks.resize, "cat.png", on_success=RQ.Callback(f"{tasks.__name__}.heard")
    )
    shop.work()
    assert "UnknownTask: harm.done, a failure callback: it is no" in end(job)[1]
    assert not (shop.folder / "harm").exists()
    assert heard(client, told) == ["cat.png at 100"]


def test_workers_whose_jobs_have_none_never_load_rq(shop: Shop) -> None:
    job = tasks.loaded.enqueue("rq")
    shop.work()
    assert job.result(timeout=0) is False
