"""Results: what came of a job, and who may still change its course."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flow import Job, Queue, errors
from flow.store import persistence
from flow.store.address import Address
from flow.store.client import Store
from tests.support.apps import Shop, Untyped, as_rq_sees, let_go
from tests.support.server import running
from tests.support.shop import tasks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.server import Server


def test_result_waits_until_the_job_has_ended(shop: Shop) -> None:
    gate = shop.gate()
    job = tasks.hold.enqueue(gate)
    found: list[str] = []
    waiter = threading.Thread(target=lambda: found.append(job.result(timeout=60)))
    with shop.open():
        waiter.start()
        let_go(gate, "open")
        waiter.join(60)
    assert found == ["open"]


def test_result_gives_up_after_its_timeout(store: Store) -> None:
    assert store
    job = tasks.resize.enqueue("cat.png")
    for seconds in (0, 0.05):
        with pytest.raises(TimeoutError, match=rf"{job.id} has not ended within"):
            job.result(timeout=seconds)
        with pytest.raises(TimeoutError, match=rf"{job.id} has not ended within"):
            asyncio.run(job.aresult(timeout=seconds))
    assert job.status == "queued"


def test_a_failure_is_raised_in_whoever_waits_for_it(shop: Shop) -> None:
    job = tasks.fail.enqueue("no cat")
    with shop.open():
        with pytest.raises(errors.JobFailed, match=r"(?m)^ValueError: no cat$"):
            job.result(timeout=60)
        with pytest.raises(
            errors.JobFailed, match=r"(?m)^ValueError: no cat$"
        ) as failed:
            asyncio.run(job.aresult(timeout=60))
    assert "raise ValueError(reason)" in failed.value.traceback


def test_a_hundred_coroutines_wait_for_their_jobs_side_by_side(shop: Shop) -> None:
    async def all_of_them() -> list[int]:
        jobs = tasks.charge.enqueue_many([(n,) for n in range(100)])
        return await asyncio.gather(*(job.aresult(timeout=60) for job in jobs))

    with shop.open():
        assert asyncio.run(all_of_them()) == [n * 100 for n in range(100)]


@pytest.mark.parametrize(
    "value",
    [None, 0, "", b"\x00\xff", {"a": [1, (2, {3})]}, "x" * 3_000_000, "\ud800"],
    ids=["None", "0", "empty", "bytes", "nested", "3 MB", "a lone surrogate"],
)
def test_any_value_that_can_be_pickled_comes_back(
    shop: Shop, client: Untyped, value: object
) -> None:
    job = tasks.echo.enqueue(value)
    shop.work()
    assert job.result(timeout=0) == value
    assert as_rq_sees(job, client).return_value() == value


def test_a_job_that_waits_can_be_cancelled(shop: Shop, client: Untyped) -> None:
    job = tasks.note.enqueue(shop.ledger, "never")

    assert job.cancel() is True

    assert job.status == "canceled"
    assert job.cancel() is False, "it has ended"
    assert client.llen("rq:queue:default") == 0
    assert client.zscore("rq:canceled:default", job.id)
    shop.work()
    assert shop.noted() == []
    with pytest.raises(errors.JobCancelled, match=job.id):
        job.result(timeout=0)
    with pytest.raises(errors.JobCancelled, match=job.id):
        asyncio.run(job.aresult(timeout=0))


def test_a_cancel_ends_the_wait_of_others(store: Store) -> None:
    assert store
    job = tasks.resize.enqueue("cat.png")
    seen: list[BaseException] = []

    def look() -> None:
        try:
            job.result(timeout=60)
        except errors.JobCancelled as error:
            seen.append(error)

    waiter = threading.Thread(target=look)
    waiter.start()
    assert asyncio.run(job.acancel())
    waiter.join(60)
    assert len(seen) == 1


def test_a_job_that_runs_or_has_ended_cannot_be_cancelled(shop: Shop) -> None:
    gate = shop.gate()
    with shop.open():
        job = tasks.hold.enqueue(gate)
        wait_until(lambda: job.status == "started", waiting_for="the job's start")
        assert job.cancel() is False
        let_go(gate, "done")
        assert job.result(timeout=60) == "done"
        assert job.cancel() is False
        assert job.status == "finished"


def test_delayed_jobs_and_dependents_can_be_cancelled_too(
    store: Store, client: Untyped
) -> None:
    assert store
    later = tasks.resize.enqueue_in(60, "cat.png")
    child = tasks.resize.options(depends_on=later).enqueue("cat.png")

    assert later.cancel()
    assert child.cancel()

    assert later.status == child.status == "canceled"
    assert client.zcard("rq:scheduled:default") == 0
    assert client.zcard("rq:deferred:default") == 0


def test_a_job_is_found_again_by_its_id(store: Store) -> None:
    assert store
    job = tasks.resize.enqueue("cat.png")
    found = Job.fetch(job.id)
    assert found == job
    assert len({found, job}) == 1
    assert found.status == "queued"


def test_a_job_that_never_was_is_an_error_of_its_own(store: Store) -> None:
    assert store
    ghost = Job[str]("no-such-job")
    for ask in (lambda: ghost.status, ghost.result, ghost.cancel):
        with pytest.raises(errors.NoSuchJob, match="no job 'no-such-job'"):
            ask()
    with pytest.raises(errors.NoSuchJob, match="no job 'no-such-job'"):
        asyncio.run(ghost.aresult())
    with pytest.raises(errors.NoSuchJob, match="no job 'no-such-job'"):
        Job.fetch("no-such-job")


def test_a_result_that_is_not_kept_leaves_nothing_behind(
    shop: Shop, client: Untyped
) -> None:
    job = tasks.report.enqueue()
    shop.work()
    with pytest.raises(errors.NoSuchJob, match="result_ttl is 0"):
        job.result(timeout=0)
    left: Any = client.keys(f"*{job.id}*")
    assert left == []


def test_results_expire_when_the_task_or_the_call_says_so(
    shop: Shop, client: Untyped
) -> None:
    usual = tasks.resize.enqueue("cat.png")
    short = tasks.resize.options(result_ttl=60).enqueue("cat.png")
    kept = tasks.resize.options(result_ttl=-1).enqueue("cat.png")
    failed = tasks.fail.options(failure_ttl=60).enqueue("no cat")
    year = tasks.fail.enqueue("no cat")

    shop.work()

    def lives(job: Job[Any]) -> tuple[Any, Any]:
        hash_, stream = f"rq:job:{job.id}", f"rq:results:{job.id}"
        return client.ttl(hash_), client.ttl(stream)

    assert all(440 < left <= 500 for left in lives(usual))
    assert all(0 < left <= 60 for left in lives(short))
    assert lives(kept) == (-1, -1)
    assert all(0 < left <= 60 for left in lives(failed))
    assert all(31_530_000 < left <= 31_536_000 for left in lives(year))


def test_a_result_that_cannot_be_read_here_is_an_error_of_flow(shop: Shop) -> None:
    (shop.folder / "theirs.py").write_text(
        "class Cat: pass\n\ndef make():\n    return Cat()\n"
    )
    job = Queue().enqueue("theirs.make")
    shop.work()
    assert job.status == "finished"
    with pytest.raises(errors.UnreadableJob, match="No module named 'theirs'"):
        job.result(timeout=0)


def test_nobody_waits_for_results_that_somebody_deleted(
    shop: Shop, client: Untyped
) -> None:
    good, bad = tasks.resize.enqueue("cat.png"), tasks.fail.enqueue("no cat")
    shop.work()
    client.delete(f"rq:results:{good.id}", f"rq:results:{bad.id}")
    with pytest.raises(errors.NoSuchJob):
        good.result()
    with pytest.raises(errors.JobFailed, match="failed"):
        bad.result()


def test_a_server_that_does_not_answer_is_an_error_of_flow(tmp_path: Path) -> None:
    store = Store(Address(f"unix://{tmp_path / 'nobody'}", "the test"))
    job = Job[str]("some-job", store)
    for ask in (lambda: job.status, job.cancel):
        with pytest.raises(errors.ServerUnreachable, match="no answer from unix://"):
            ask()
    said = r"whether job some-job has ended is not known: no answer from unix://"
    for seconds in (0, 0.2):
        with pytest.raises(errors.ServerUnreachable, match=said):
            job.result(timeout=seconds)
        with pytest.raises(errors.ServerUnreachable, match=said):
            asyncio.run(job.aresult(timeout=seconds))


@pytest.mark.parametrize("password", ["", ":wrong@"], ids=["none", "wrong"])
def test_a_login_that_is_refused_ends_a_wait_at_once(password: str) -> None:
    with running(options=("--requirepass", "s3cret")) as server:
        url = server.url.replace("//", f"//{password}")
        store = Store(Address(url, "the test"))
        job = Job[str]("some-job", store)
        with pytest.raises(errors.ServerUnreachable, match="some-job has ended is"):
            job.result()
        with pytest.raises(errors.ServerUnreachable, match="some-job has ended is"):
            asyncio.run(job.aresult())
        store.link.close()


def test_a_password_that_is_changed_ends_the_next_wait() -> None:
    with running() as server:
        store = Store(Address(server.url, "the test"))
        job = Job[str]("some-job", store)
        with pytest.raises(errors.NoSuchJob):
            job.result()
        store.link.command("CONFIG SET", "requirepass", "s3cret")
        store.link.close()  # as a proxy or a restart would cut it
        with pytest.raises(errors.ServerUnreachable, match="some-job has ended is"):
            job.result()
        store.link.close()


def test_a_look_that_does_not_wait_says_nothing_of_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []
    monkeypatch.setattr(persistence, "emit", said.append)
    store = Store(Address(f"unix://{tmp_path / 'nobody'}", "the test"))
    job = Job[str]("some-job", store)
    with pytest.raises(errors.ServerUnreachable):
        job.result(timeout=0)
    with pytest.raises(errors.ServerUnreachable):
        asyncio.run(job.aresult(timeout=0))
    assert said == []


def test_who_waits_for_a_result_waits_through_a_restart_of_the_server(
    shop: Shop, server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tasks.resize.enqueue("cat.png")
    found: list[str] = []
    missed: list[object] = []
    monkeypatch.setattr(persistence, "emit", missed.append)

    def look(timeout: float | None) -> None:
        found.append(job.result(timeout))

    def look_async(timeout: float | None) -> None:
        found.append(asyncio.run(job.aresult(timeout)))

    waiters = [
        threading.Thread(target=how, args=(timeout,), daemon=True)
        for how in (look, look_async)
        for timeout in (None, 60)
    ]
    for waiter in waiters:
        waiter.start()
    wait_until(
        lambda: (
            store.link.command("INFO", "clients")["blocked_clients"] == len(waiters)
        ),
        waiting_for="all to wait",
    )
    server.kill()
    wait_until(
        lambda: len(missed) == len(waiters), waiting_for="all to miss the server"
    )
    server.start()
    shop.work()
    for waiter in waiters:
        waiter.join(60)
    assert found == ["cat.png at 100"] * len(waiters)
