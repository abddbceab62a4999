"""RQ on the same Redis: its client with flow's worker, flow's tasks with its worker."""

from __future__ import annotations

from typing import Any

import pytest

from flow import Job, errors
from tests.support.apps import PLAIN, RQ, Shop, Untyped, as_rq_sees, let_go
from tests.support.shop import plain, tasks
from tests.support.waiting import wait_until

REGISTRIES = (
    RQ.registry.StartedJobRegistry,
    RQ.registry.FinishedJobRegistry,
    RQ.registry.FailedJobRegistry,
    RQ.registry.DeferredJobRegistry,
    RQ.registry.ScheduledJobRegistry,
    RQ.registry.CanceledJobRegistry,
)


# RQ's client, flow's worker


def test_flow_runs_what_a_plain_client_enqueues(shop: Shop, queue: Untyped) -> None:
    account = plain.Account("ann")
    jobs = {
        "by its path": queue.enqueue(f"{PLAIN}.add", 1, other=2),
        "by the function": queue.enqueue(plain.add, 1),
        "a coroutine function": queue.enqueue(plain.slow_add, 1, 3),
        "a method of an object": queue.enqueue(account.greet, "hello"),
        "a class method": queue.enqueue(f"{PLAIN}.Account.of", "ann"),
        "a static method": queue.enqueue(plain.Account.fee, 100),
        "a builtin": queue.enqueue(len, "four"),
        "named arguments": queue.enqueue_call(plain.add, kwargs={"one": 4, "other": 5}),
        "a task by its path": queue.enqueue("tests.support.shop.tasks.resize", "a"),
        "a task itself": queue.enqueue(tasks.resize, "b", width=3),
        "several at once": queue.enqueue_many(
            [RQ.Queue.prepare_data(plain.add, args=(7,))]
        )[0],
    }

    shop.work()

    assert {how: job.return_value() for how, job in jobs.items()} == {
        "by its path": 3,
        "by the function": 1,
        "a coroutine function": 4,
        "a method of an object": "hello, ann",
        "a class method": "Account of ann",
        "a static method": 10,
        "a builtin": 4,
        "named arguments": 9,
        "a task by its path": "a at 100",
        "a task itself": "b at 3",
        "several at once": 7,
    }
    assert {str(job.get_status()) for job in jobs.values()} == {"JobStatus.FINISHED"}


def test_every_job_has_a_timeout_for_rqs_worker(shop: Shop, client: Untyped) -> None:
    assert shop
    # It does sums with it when a job has run for its monitoring interval, 30 s.
    one, other = tasks.resize.enqueue("cat.png"), tasks.resize.options(timeout=0.5)
    assert as_rq_sees(one, client).timeout == 180
    assert as_rq_sees(other.enqueue("cat.png"), client).timeout == 1


def test_rq_reads_a_result_of_flow_with_all_that_belongs_to_it(
    shop: Shop, client: Untyped
) -> None:
    job = as_rq_sees(tasks.resize.enqueue("cat.png", width=3), client)
    shop.work()

    job.refresh()
    result = job.latest_result()

    assert result
    assert result.type is RQ.results.Result.Type.SUCCESSFUL
    assert result.return_value == job.return_value() == "cat.png at 3"
    assert result.job_id == job.id
    assert job.worker_name
    assert result.worker_name == job.worker_name
    assert job.started_at
    assert job.ended_at
    assert job.enqueued_at
    assert job.enqueued_at <= job.started_at <= job.ended_at
    assert job.id in RQ.registry.FinishedJobRegistry(connection=client)
    assert job.result_ttl is None
    assert job.get_position() is None


def test_rq_reads_a_failure_of_flow(shop: Shop, client: Untyped) -> None:
    job = as_rq_sees(tasks.fail.enqueue("no cat \N{CAT FACE}"), client)
    shop.work()

    job.refresh()
    result = job.latest_result()

    assert result
    assert result.type is RQ.results.Result.Type.FAILED
    assert result.exc_string
    assert result.exc_string.startswith("Traceback (most recent call last):")
    assert result.exc_string.endswith("ValueError: no cat \N{CAT FACE}\n")
    assert job.is_failed
    assert job.id in RQ.registry.FailedJobRegistry(connection=client)


def test_a_plain_clients_options_mean_what_they_mean_to_rq(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    short = queue.enqueue(plain.add, 1, result_ttl=60)
    kept = queue.enqueue(plain.add, 2, result_ttl=-1)
    gone = queue.enqueue(plain.add, 3, result_ttl=0)
    failed = queue.enqueue(plain.explode, "it", failure_ttl=60)
    late = queue.enqueue(plain.wait, job_timeout=1)
    retried = queue.enqueue(
        plain.flaky, str(shop.ledger), 2, retry=RQ.Retry(max=2, interval=[0, 0])
    )
    beaten = queue.enqueue(
        plain.flaky, str(shop.folder / "other"), 9, retry=RQ.Retry(max=1)
    )
    front = queue.enqueue(plain.add, 4, at_front=True, description="first", meta={1: 2})

    shop.work()

    assert 0 < client.ttl(f"rq:job:{short.id}") <= 60
    assert client.ttl(f"rq:job:{kept.id}") == -1
    assert client.exists(f"rq:job:{gone.id}", f"rq:results:{gone.id}") == 0
    assert 0 < client.ttl(f"rq:results:{failed.id}") <= 60
    assert retried.return_value() == 3
    assert beaten.is_failed
    assert (shop.folder / "other").read_text() == ".."
    assert front.return_value() == 4
    front.refresh()
    assert (front.description, front.meta) == ("first", {1: 2})
    assert late.is_failed
    timeout = late.latest_result()
    assert timeout
    assert timeout.exc_string
    assert "rq.timeouts.JobTimeoutException: Task exceeded" in timeout.exc_string


def test_a_retry_of_rq_with_intervals_waits_in_rqs_registry(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    job = queue.enqueue(plain.explode, "it", retry=RQ.Retry(max=2, interval=[60, 120]))
    shop.work()
    assert str(job.get_status()) == "JobStatus.SCHEDULED"
    job.refresh()
    assert job.retries_left == 1
    score: Any = client.zscore("rq:scheduled:default", job.id)
    assert job.ended_at
    assert 55 < score - job.ended_at.timestamp() < 65


def test_flow_waits_for_a_plain_clients_job(shop: Shop, queue: Untyped) -> None:
    good, bad = queue.enqueue(plain.add, 1), queue.enqueue(plain.explode, "it")
    with shop.open():
        assert Job[int](good.id).result(timeout=60) == 1
        with pytest.raises(errors.JobFailed, match="RuntimeError: it exploded"):
            Job[None](bad.id).result(timeout=60)


def test_a_coroutine_task_itself_can_be_enqueued_by_a_plain_client(
    shop: Shop, queue: Untyped
) -> None:
    job = queue.enqueue(tasks.fetch, "home")
    shop.work()
    assert job.return_value() == "<h1>home</h1>"


def test_a_task_itself_is_declared_also_when_a_plain_client_enqueues_it(
    shop: Shop, queue: Untyped
) -> None:
    (shop.folder / "pyproject.toml").write_text("[tool.flow]\nstrict = true\n")
    job = queue.enqueue(tasks.resize, "cat.png")
    shop.work()
    assert job.return_value() == "cat.png at 100"


@pytest.mark.leaves_keys("the job stays where no flow job would")
def test_the_words_that_only_rq_3_has_are_read_too(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    assert shop
    job = Job[int](queue.enqueue(plain.add, 1).id)
    for word in ("ready_to_enqueue", "rate_limited"):
        client.hset(f"rq:job:{job.id}", "status", word)
        with pytest.raises(TimeoutError):
            job.result(timeout=0)
        assert job.status == word


# flow's tasks, RQ's workers


@pytest.mark.leaves_keys("RQ's worker keeps a failure's results for ever")
@pytest.mark.parametrize("kind", ["rq.worker.SimpleWorker", "rq.worker.Worker"])
def test_a_plain_worker_runs_flows_tasks(shop: Shop, kind: str) -> None:
    plain_task = tasks.resize.enqueue("cat.png", width=3)
    coroutine = tasks.fetch.enqueue("home")
    nothing = tasks.note.enqueue(shop.ledger, "done")
    renamed = tasks.report.options(result_ttl=60).enqueue()
    failed = tasks.fail.enqueue("no cat")
    gone = tasks.report.enqueue()
    many = tasks.resize.enqueue_many([(f"{n}.png",) for n in range(3)])
    large = tasks.echo.enqueue("x" * 100_000)

    shop.rq_work("--worker-class", kind)

    assert plain_task.status == "finished"
    assert plain_task.result(timeout=0) == "cat.png at 3"
    assert coroutine.result(timeout=0) == "<h1>home</h1>"
    assert nothing.result(timeout=0) is None
    assert shop.noted() == ["done"]
    assert renamed.result(timeout=0) == "a result that nobody keeps"
    assert failed.status == "failed"
    with pytest.raises(errors.JobFailed, match=r"(?m)^ValueError: no cat$") as seen:
        failed.result(timeout=0)
    assert "raise ValueError(reason)" in seen.value.traceback
    assert [job.result(timeout=0) for job in many] == [f"{n}.png at 100" for n in "012"]
    assert large.result(timeout=0) == "x" * 100_000
    with pytest.raises(errors.NoSuchJob):
        gone.result(timeout=0)


@pytest.mark.leaves_keys("RQ's worker keeps a failure's results for ever")
def test_a_plain_worker_honours_the_options_of_flows_calls(
    shop: Shop, client: Untyped
) -> None:
    slow = tasks.idle.options(timeout=1).enqueue()
    retried = tasks.send.options(queue="default").enqueue(shop.ledger, "ann")
    short = tasks.resize.options(result_ttl=60, meta={"a": 1}).enqueue("cat.png")

    shop.rq_work()

    with pytest.raises(errors.JobFailed, match="JobTimeoutException"):
        slow.result(timeout=0)
    assert retried.result(timeout=0) == "sent to ann at try 3"
    assert 0 < client.ttl(f"rq:job:{short.id}") <= 60
    assert as_rq_sees(short, client).meta == {"a": 1}


def test_a_plain_worker_runs_what_flow_did_not_cancel(shop: Shop) -> None:
    job = tasks.resize.enqueue("cat.png")
    shop.rq_work()
    assert job.cancel() is False
    canceled = tasks.note.enqueue(shop.ledger, "never")
    assert canceled.cancel()
    shop.rq_work()
    assert shop.noted() == []


# Dependents across the two


def test_flows_job_waits_for_rqs_and_rqs_for_flows(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    first = queue.enqueue(plain.add, 1)
    second = tasks.note.options(depends_on=first.id).enqueue(shop.ledger, "second")
    third = queue.enqueue(plain.add, 3, depends_on=as_rq_sees(second, client))
    fourth = tasks.note.options(depends_on=third.id).enqueue(shop.ledger, "fourth")
    assert str(third.get_status()) == "JobStatus.DEFERRED"

    shop.work()

    assert fourth.status == "finished"
    assert third.return_value() == 3
    assert shop.noted() == ["second", "fourth"]


def test_a_plain_worker_releases_the_dependents_of_flow(
    shop: Shop, queue: Untyped
) -> None:
    parent = tasks.note.enqueue(shop.ledger, "parent")
    both = tasks.note.options(
        depends_on=[parent, queue.enqueue(plain.add, 1).id]
    ).enqueue(shop.ledger, "both")
    shop.rq_work()
    shop.work()
    assert both.status == "finished"
    assert shop.noted() == ["parent", "both"]


def test_a_failure_may_release_a_dependent_that_allows_it(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    parent = tasks.fail.enqueue("no cat")
    allowed = RQ.job.Dependency([as_rq_sees(parent, client)], allow_failure=True)
    anyway = queue.enqueue(plain.add, 1, depends_on=allowed)
    strict = queue.enqueue(plain.add, 2, depends_on=as_rq_sees(parent, client))
    shop.work()
    assert anyway.return_value() == 1
    assert str(strict.get_status()) == "JobStatus.DEFERRED"


# RQ's readers and verbs


def test_rqs_readers_leave_a_running_job_of_flow_alone(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    gate = shop.gate()
    job = tasks.hold.options(timeout=5).enqueue(gate)
    with shop.open():
        wait_until(lambda: job.status == "started", waiting_for="the job's start")
        for _ in range(5):
            for registry in REGISTRIES:
                registry(queue=queue).cleanup()
            assert RQ.registry.StartedJobRegistry(queue=queue).get_job_ids() == [job.id]
            assert queue.started_job_registry.count == 1
            RQ.registry.clean_registries(queue)
        (worker,) = RQ.worker.BaseWorker.all(connection=client)
        assert {one.name for one in worker.queues} == {"urgent", "mail", "default"}
        assert worker.pid
        assert worker.hostname
        let_go(gate, "undisturbed")
        assert job.result(timeout=60) == "undisturbed"
    assert queue.started_job_registry.count == 0


def test_a_running_worker_counts_what_it_did_for_rqs_readers(
    shop: Shop, client: Untyped
) -> None:
    with shop.open():
        tasks.resize.enqueue("cat.png").result(timeout=60)
        failed = tasks.fail.enqueue("no cat")
        with pytest.raises(errors.JobFailed):
            failed.result(timeout=60)

        def counts() -> list[tuple[int, int]]:
            return [
                (one.successful_job_count, one.failed_job_count)
                for one in RQ.worker.BaseWorker.all(connection=client)
            ]

        wait_until(lambda: counts() == [(1, 1)], waiting_for="the next heartbeat")


@pytest.mark.leaves_keys("RQ keeps what it cancels for ever")
def test_rqs_verbs_work_on_flows_jobs(shop: Shop, client: Untyped) -> None:
    canceled = tasks.note.enqueue(shop.ledger, "canceled")
    as_rq_sees(canceled, client).cancel()
    deleted = tasks.note.enqueue(shop.ledger, "deleted")
    as_rq_sees(deleted, client).delete()
    failed = tasks.send.options(retries=0).enqueue(shop.ledger, "sent")
    shop.work()

    with pytest.raises(errors.JobCancelled):
        canceled.result(timeout=0)
    with pytest.raises(errors.NoSuchJob):
        deleted.result(timeout=0)
    assert failed.status == "failed"
    for _ in range(2):
        as_rq_sees(failed, client).requeue()
        shop.work()
    assert failed.result(timeout=0) == "sent to sent at try 3"
    assert shop.noted() == ["sent"] * 3
    assert client.zcard("rq:failed:mail") == 0


def test_a_suspended_fleet_takes_nothing_until_it_is_resumed(
    shop: Shop, client: Untyped
) -> None:
    RQ.suspension.suspend(client)
    job = tasks.resize.enqueue("cat.png")
    shop.work()
    assert job.status == "queued"
    RQ.suspension.resume(client)
    shop.work()
    assert job.status == "finished"
