"""Tasks: declare a function, enqueue its calls, have a worker run them."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flow import Job, Queue, errors
from tests.support.apps import Shop, Untyped, as_rq_sees, let_go
from tests.support.shop import tasks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store


def waiting(client: Untyped, queue: str = "default") -> list[str]:
    ids: Any = client.lrange(f"rq:queue:{queue}", 0, -1)
    return [job_id.decode() for job_id in ids]


def test_a_task_is_still_the_function_that_it_decorates() -> None:
    assert tasks.resize("cat.png", width=200) == "cat.png at 200"
    assert tasks.resize.__doc__ == "Return what a picture would be called."
    assert vars(tasks.resize)["__name__"] == "resize"
    assert asyncio.run(tasks.fetch("home")) == "<h1>home</h1>"


def test_a_call_is_enqueued_and_a_worker_runs_it(shop: Shop) -> None:
    job = tasks.resize.enqueue("cat.png", width=200)
    assert job.status == "queued"

    shop.work()

    assert job.status == "finished"
    assert job.result(timeout=0) == "cat.png at 200"


def test_a_coroutine_function_is_a_task_like_any_other(shop: Shop) -> None:
    job = tasks.fetch.enqueue("home")
    shop.work()
    assert job.result(timeout=0) == "<h1>home</h1>"


def test_a_coroutine_enqueues_and_waits_without_holding_up_its_loop(shop: Shop) -> None:
    async def buy() -> str:
        job = await tasks.fetch.aenqueue("home")
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(tick())
        value = await job.aresult(timeout=60)
        other.cancel()
        assert ticks > 100
        return value

    with shop.open():
        assert asyncio.run(buy()) == "<h1>home</h1>"


def test_a_job_may_enqueue_further_jobs(shop: Shop) -> None:
    parent = tasks.order_all.enqueue(3)
    shop.work()
    children = parent.result(timeout=0)
    assert [Job[int](child).result(timeout=0) for child in children] == [0, 100, 200]


def test_a_task_is_stored_under_its_import_path_whatever_its_name(
    shop: Shop, client: Untyped
) -> None:
    job = tasks.report.options(result_ttl=60).enqueue()
    assert tasks.report.name == "nightly report"
    stored = as_rq_sees(job, client)
    assert stored.func_name == "tests.support.shop.tasks.report"
    shop.work()
    assert job.result(timeout=0) == "a result that nobody keeps"


def test_a_function_that_is_no_task_is_enqueued_by_its_path(shop: Shop) -> None:
    job = Queue("default").enqueue("tests.support.shop.plain.add", 1, other=2)
    assert len(Queue("default")) == 1
    shop.work()
    assert job.result(timeout=0) == 3
    assert len(Queue("default")) == 0


def test_ten_thousand_calls_are_enqueued_at_once_and_in_order(
    store: Store, client: Untyped
) -> None:
    assert store
    calls = (tasks.resize.call(f"{n}.png", width=n) for n in range(10_000))

    jobs = tasks.resize.enqueue_many(calls)

    assert waiting(client) == [job.id for job in jobs]
    stored = as_rq_sees(jobs[7_777], client)
    assert (stored.args, stored.kwargs) == (("7777.png",), {"width": 7777})


def test_calls_may_be_plain_tuples(shop: Shop) -> None:
    jobs = tasks.resize.enqueue_many([("a.png", 1), tasks.resize.call("b.png")])
    shop.work()
    assert [job.result(timeout=0) for job in jobs] == ["a.png at 1", "b.png at 100"]


def test_no_calls_are_no_jobs(store: Store, client: Untyped) -> None:
    assert store
    assert tasks.resize.enqueue_many([]) == []
    assert waiting(client) == []


@pytest.mark.parametrize(
    "wrong",
    [(), ("a.png", 1, 2), ("a.png", threading.Lock())],
    ids=["too few", "too many", "one that cannot be pickled"],
)
def test_one_wrong_call_among_many_is_named_and_nothing_is_enqueued(
    store: Store, client: Untyped, wrong: tuple[Any, ...]
) -> None:
    assert store
    calls = [("cat.png", n) for n in range(500)]
    with pytest.raises(errors.InvalidCall, match=r"^call 345: "):
        tasks.resize.enqueue_many([*calls[:345], wrong, *calls[345:]])
    assert client.dbsize() == 0


def test_an_argument_that_cannot_be_pickled_is_refused_at_once(
    store: Store, client: Untyped
) -> None:
    assert store
    untyped: Any = tasks.resize
    with pytest.raises(errors.InvalidCall, match=r"shop\.tasks\.resize cannot be pick"):
        untyped.enqueue(lambda: "cat.png")
    assert client.dbsize() == 0


def test_arguments_that_do_not_fit_are_refused_with_the_signature(
    store: Store, client: Untyped
) -> None:
    assert store
    untyped: Any = tasks.resize
    with pytest.raises(
        errors.InvalidCall,
        match=re.escape("(path: 'str', width: 'int' = 100) -> 'str' cannot be called"),
    ):
        untyped.enqueue("cat.png", height=3)
    assert client.dbsize() == 0


def test_a_result_that_cannot_be_pickled_fails_the_job_and_harms_no_other(
    shop: Shop,
) -> None:
    bad, good = tasks.make_lock.enqueue(), tasks.resize.enqueue("cat.png")
    shop.work()
    with pytest.raises(errors.JobFailed, match="result, a lock, cannot be pickled"):
        bad.result(timeout=0)
    assert good.result(timeout=0) == "cat.png at 100"


def test_a_payload_of_garbage_fails_the_job_and_harms_no_other(
    shop: Shop, client: Untyped
) -> None:
    for number, garbage in enumerate((b"", b"\x80\x05garbage", b"\x78\x9c", b"42")):
        client.hset(
            f"rq:job:bad-{number}",
            mapping={"status": "queued", "origin": "default", "data": garbage},
        )
        client.rpush("rq:queue:default", f"bad-{number}")
    good = tasks.resize.enqueue("cat.png")

    shop.work()

    assert good.result(timeout=0) == "cat.png at 100"
    for number in range(4):
        with pytest.raises(errors.JobFailed, match="UnreadableJob: the job's data"):
            Job[Any](f"bad-{number}").result(timeout=0)


def test_a_task_that_no_worker_knows_yet_waits_for_a_deployment(
    shop: Shop, client: Untyped
) -> None:
    unknown = [Queue().enqueue("tests.support.shop.tasks.tomorrow") for _ in range(3)]
    missing = Queue().enqueue("nowhere.at.all", 1)
    good = tasks.resize.enqueue("cat.png")

    said = shop.work()

    assert good.status == "finished"
    for job in (*unknown, missing):
        assert job.status == "scheduled"
        assert client.zscore("rq:scheduled:default", job.id)
    warnings = [line for line in said.splitlines() if "no task" in line]
    assert len(warnings) == 2, "one warning a name"
    assert "tests.support.shop.tasks.tomorrow" in warnings[0]


def test_a_task_that_stays_unknown_fails_with_the_reason(
    shop: Shop, client: Untyped
) -> None:
    job = Queue().enqueue("tests.support.shop.tasks.tomorrow")
    client.hset(f"rq:job:{job.id}", "flow_unknown_since", "1700000000")
    shop.work()
    with pytest.raises(errors.JobFailed, match="there is no 'tomorrow'"):
        job.result(timeout=0)


def test_a_module_that_fails_while_it_is_imported_is_a_failure_like_another(
    shop: Shop,
) -> None:
    (shop.folder / "broken.py").write_text("raise RuntimeError('no licence')\n")
    job = Queue().enqueue("broken.run")
    shop.work()
    with pytest.raises(errors.JobFailed, match="RuntimeError: no licence"):
        job.result(timeout=0)


def test_strict_projects_run_declared_tasks_only(shop: Shop) -> None:
    (shop.folder / "pyproject.toml").write_text("[tool.flow]\nstrict = true\n")
    declared = tasks.resize.enqueue("cat.png")
    plain = Queue().enqueue("tests.support.shop.plain.add", 1)

    said = shop.work()

    assert declared.status == "finished"
    assert plain.status == "scheduled"
    assert "it is no declared task" in said


def test_a_job_that_raises_keeps_its_text_and_its_traceback(shop: Shop) -> None:
    job = tasks.fail.enqueue("no cat")
    shop.work()
    assert job.status == "failed"
    with pytest.raises(errors.JobFailed, match=r"(?m)^ValueError: no cat$") as failed:
        job.result(timeout=0)
    trace = failed.value.traceback
    assert trace.startswith("Traceback (most recent call last):\n")
    assert "tests/support/shop/tasks.py" in trace
    assert "raise ValueError(reason)" in trace
    assert "executor.py" not in trace, "flow's own frames are of no use to a user"


def test_a_job_that_exits_fails_and_its_worker_goes_on(shop: Shop) -> None:
    bad, good = tasks.leave.enqueue(), tasks.resize.enqueue("cat.png")
    shop.work()
    with pytest.raises(errors.JobFailed, match="SystemExit: 3"):
        bad.result(timeout=0)
    assert good.status == "finished"


def test_a_job_that_runs_too_long_is_interrupted(shop: Shop) -> None:
    jobs = [tasks.forever.enqueue(), tasks.forever_async.enqueue()]
    shop.work()
    for job in jobs:
        with pytest.raises(errors.JobFailed, match=r"Timeout.*value \(0\.2 seconds\)"):
            job.result(timeout=0)
    assert not (shop.folder / "swallowed").exists()


def test_a_failed_job_runs_again_as_often_as_its_task_says(shop: Shop) -> None:
    job = tasks.send.enqueue(shop.ledger, "ann")
    shop.work()
    assert job.result(timeout=0) == "sent to ann at try 3"
    assert shop.noted() == ["ann", "ann", "ann"]


def test_a_job_fails_for_good_when_its_retries_are_used_up(shop: Shop) -> None:
    job = tasks.send.options(retries=1).enqueue(shop.ledger, "ann")
    shop.work()
    with pytest.raises(errors.JobFailed, match="ConnectionError: try 2 failed"):
        job.result(timeout=0)


def test_a_worker_takes_what_is_enqueued_while_it_waits(shop: Shop) -> None:
    gate = shop.gate()
    with shop.open():
        job = tasks.hold.enqueue(gate)
        wait_until(lambda: job.status == "started", waiting_for="the job's start")
        let_go(gate, "gone")
        assert job.result(timeout=60) == "gone"
