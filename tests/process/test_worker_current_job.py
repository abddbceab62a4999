"""flow.current_job: what a job knows of itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import flow
from flow import Queue
from tests.support import selfaware, workers
from tests.support.apps import ROOT

if TYPE_CHECKING:
    from tests.support.faults import Yard

APP = "tests.support.selfaware"
LONG = 60.0  # seconds a wait may take at most


@pytest.mark.parametrize("threads", [1, 2])
def test_a_plain_job_knows_itself(yard: Yard, threads: int) -> None:
    begun = datetime.now(UTC)
    job = selfaware.look.enqueue()
    endless = selfaware.look_without_limit.enqueue()
    yard.burst("--threads", str(threads), app=APP)
    found = job.result(0)
    assert begun < found.pop("deadline") - timedelta(seconds=1000) <= datetime.now(UTC)
    assert found == {
        "id": job.id,
        "task": f"{APP}.look",
        "queue": "default",
        "attempt": 1,
        "left": 3,
        "stopping": False,
    }
    assert endless.result(0)["deadline"] is None


def test_a_coroutine_and_what_it_spawns_know_it(yard: Yard) -> None:
    begun = datetime.now(UTC)
    job = selfaware.alook.options(queue="mail").enqueue()
    plain = Queue("default").enqueue(f"{APP}.wrapped")
    yard.burst("--queues", "mail,default", app=APP)
    found, spawned, thread = job.result(0)
    assert (found["id"], found["task"], found["queue"]) == (
        job.id,
        "a person's name",
        "mail",
    )
    assert begun < found["deadline"] - timedelta(seconds=1000) <= datetime.now(UTC)
    assert [spawned, thread] == [job.id] * 2
    assert plain.result(0) == plain.id


def test_jobs_that_run_at_the_same_time_are_not_mistaken(yard: Yard) -> None:
    plain, barrier = selfaware.meet, yard.folder / "plain"
    jobs = plain.enqueue_many([(barrier, 4)] * 4)
    coroutine, barrier = selfaware.ameet, yard.folder / "async"
    jobs += coroutine.enqueue_many([(barrier, 20)] * 20)
    yard.burst("--threads", "4", app=APP)
    assert [job.result(0) for job in jobs] == [job.id for job in jobs]


def test_attempts_and_retries_are_counted(yard: Yard) -> None:
    selfaware.count_attempts.enqueue(yard.ledger)
    yard.burst(app=APP)
    assert yard.noted() == ["1/2", "2/1", "3/0"]


def test_a_job_sees_that_its_worker_stops_and_when_the_grace_ends(yard: Yard) -> None:
    job = selfaware.stop_with_the_worker.enqueue(yard.ledger)
    with yard.worker("--grace", "200", app=APP) as worker:
        yard.running()
        told = time.time()
        worker.terminate()
        assert worker.wait(LONG) == 0
    found = job.result(0)
    assert found["stopping"] is True
    assert told < found["deadline"].timestamp() - 200 <= time.time()


def test_a_timeout_that_is_earlier_than_the_end_of_the_grace_stays_the_deadline(
    yard: Yard,
) -> None:
    begun = time.time()
    job = selfaware.stop_with_the_worker.options(timeout=300).enqueue(yard.ledger)
    with yard.worker("--grace", "2000", app=APP) as worker:
        yard.running()
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert begun < job.result(0)["deadline"].timestamp() - 300 <= time.time()


def test_behind_rqs_own_command_a_job_knows_itself(yard: Yard) -> None:
    job = selfaware.look.enqueue()
    ended = workers.rq_burst(
        yard.url,
        yard.folder,
        "--worker-class",
        "flow.workers.Worker",
        environment={"PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 0, ended.stderr
    assert job.result(0)["id"] == job.id


def test_outside_of_a_job_there_is_none(yard: Yard) -> None:
    assert flow.current_job() is None
    # What a worker imports or unpickles for the next job belongs to no job.
    Queue("default").enqueue(f"{APP}.me")
    job = Queue("default").enqueue("tests.support.imported.job_at_import")
    yard.burst(app=APP)
    assert job.result(0) is None


def test_a_thread_that_outlives_its_job_is_in_no_other_job(yard: Yard) -> None:
    job = selfaware.leave_a_thread.enqueue(yard.gate())
    after = selfaware.left_behind.enqueue(yard.gate())
    yard.burst(app=APP)
    first, later = after.result(0)
    assert first in (job.id, None)  # it may have begun to look only now
    assert later is None
