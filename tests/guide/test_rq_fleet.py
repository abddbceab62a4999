"""During a migration: RQ's workers and flow's on one Redis, and RQ's view of both."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.apps import PLAIN, ROOT, RQ, Shop, Untyped, as_rq_sees, let_go
from tests.support.shop import plain, tasks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator


LONG = 120.0  # seconds a wait may take at most
RQ_COMMAND = str(Path(sys.executable).parent / "rq")


def test_a_mixed_fleet_runs_each_job_once(shop: Shop, queue: Untyped) -> None:
    shop.ledger.touch()
    sent = 0
    with plain_worker(shop), plain_worker(shop), shop.open() as ours:

        def ran() -> list[list[str]]:
            return [line.split() for line in shop.ledger.read_text().splitlines()]

        # A thousand at least, and until each of the three has had some of them.
        while sent < 1000 or len({pid for _, pid in ran()}) < 3:
            jobs = [mark(shop, sent + n) for n in range(100)]
            queue.enqueue_many(jobs)
            sent += len(jobs)
            ended(queue, sent)
        assert ours.poll() is None
    words = [int(word) for word, _ in ran()]
    assert sorted(words) == list(range(sent))
    assert queue.failed_job_registry.count == 0
    assert queue.started_job_registry.count == 0


def ended(queue: Untyped, count: int) -> None:
    def enough() -> bool:
        return len(queue.finished_job_registry) >= count

    wait_until(enough, timeout=LONG, waiting_for=f"{count} jobs to end")


def mark(shop: Shop, word: int) -> Untyped:
    return RQ.Queue.prepare_data(f"{PLAIN}.mark", args=(str(shop.ledger), word))


@contextlib.contextmanager
def plain_worker(shop: Shop) -> Generator[None]:
    """Have one of RQ's own workers run until the block ends."""
    simple = "rq.worker.SimpleWorker"
    process = subprocess.Popen(
        [RQ_COMMAND, "worker", "--url", shop.url, "--worker-class", simple, "default"],
        cwd=shop.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_rqs_tools_tell_what_flows_worker_does(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    gate = shop.gate()
    with shop.open():
        tasks.resize.enqueue("cat.png").result(LONG)
        held = tasks.hold.enqueue(gate)
        queue.enqueue(plain.add, 1)
        wait_until(lambda: held.status == "started", waiting_for="the job to start")
        wait_until(lambda: "busy" in info(shop), timeout=LONG, waiting_for="a beat")
        (worker,) = RQ.Worker.all(client)
        wait_until(
            lambda: worker.get_current_job_id() == held.id,
            timeout=LONG,
            waiting_for="RQ's tools to show the job",
        )
        told = info(shop)
        assert "default      |" in told
        assert "1, 1 executing, 1 finished, 0 failed" in told
        assert "jobs: 1 finished, 0 failed" in told
        assert "1 workers, " in told
        let_go(gate, "go")
        held.result(LONG)
        assert worker.get_current_executions(refresh=True) == []


def info(shop: Shop) -> str:
    ended = subprocess.run(
        [RQ_COMMAND, "info", "--url", shop.url],
        cwd=shop.folder,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    return ended.stdout


def test_rqs_commands_suspend_a_running_fleet_and_resume_it(shop: Shop) -> None:
    with shop.open():
        tasks.resize.enqueue("first").result(LONG)
        suspend("suspend", shop)
        job = tasks.resize.enqueue("second")
        assert job.status == "queued"
        suspend("resume", shop)
        job.result(LONG)


def suspend(word: str, shop: Shop) -> None:
    command = [RQ_COMMAND, word, "--url", shop.url]
    subprocess.run(command, check=True, capture_output=True, timeout=LONG)


def test_rqs_current_job_is_the_one_that_runs(
    shop: Shop, queue: Untyped, client: Untyped
) -> None:
    jobs = [queue.enqueue(plain.count_up, meta={"count": n}) for n in range(3)]
    shop.work("--threads", "2")
    for number, job in enumerate(jobs):
        assert job.return_value() == (job.id, number + 1)
        assert as_rq_sees(job, client).meta == {"count": number + 1}
    assert RQ.get_current_job() is None
