"""RQ's verbs, and flow's own stop, on jobs that a worker runs."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
import rq
from rq import command

from flow import Job, errors, keys
from flow.record import Status
from tests.support import hazards
from tests.support.faults import gone, let_go, settled
from tests.support.leaks import places, queued
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import redis

    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most
# RQ is typed in part, so that strict checkers refuse each use of it.
Untyped = Any
RQ: Untyped = rq
ask: Untyped = command


def stopped(job: Job[Any]) -> None:
    """Wait until a job has been stopped."""
    with pytest.raises(errors.JobFailed, match="JobStopped: stopped on request"):
        job.result(LONG)
    assert job.status is Status.STOPPED


@pytest.mark.parametrize("options", [(), ("--threads", "2")], ids=["main", "threads"])
def test_rqs_stop_command_ends_a_job_and_its_worker_goes_on(
    yard: Yard, client: redis.Redis, store: Store, options: tuple[str, ...]
) -> None:
    job = hazards.hold.enqueue(yard.ledger, yard.gate())
    with yard.worker(*options):
        yard.running()
        ask.send_stop_job_command(client, job.id)
        stopped(job)
        assert hazards.echo.enqueue("next").result(LONG) == "next"
    assert places(store, job.id) == ["failed"]
    assert RQ.job.Job.fetch(job.id, connection=client).is_stopped
    assert "stopped: tests.support.hazards.hold" in yard.log()


def test_a_coroutine_is_stopped_alone(yard: Yard, client: redis.Redis) -> None:
    jobs = hazards.ahold.enqueue_many([(yard.ledger,)] * 3)
    with yard.worker():
        yard.running(3)
        ask.send_stop_job_command(client, jobs[1].id)
        stopped(jobs[1])
        assert [job.status for job in jobs] == [
            Status.STARTED,
            Status.STOPPED,
            Status.STARTED,
        ]
        assert hazards.echo.enqueue("next").result(LONG) == "next"


def test_what_a_job_makes_of_a_stop_is_a_stop_and_is_not_retried(
    yard: Yard, store: Store
) -> None:
    job = hazards.turn_a_stop_into_an_error.enqueue(yard.ledger)
    with yard.worker():
        yard.running()
        assert job.stop() is True
        stopped(job)
        assert job.stop() is False
        settled(store)
    assert len(yard.noted()) == 1


@pytest.mark.parametrize("options", [(), ("--threads", "2")], ids=["main", "threads"])
def test_an_isolated_job_is_stopped_by_the_end_of_its_process(
    yard: Yard, options: tuple[str, ...]
) -> None:
    job = hazards.apart_hold.enqueue(yard.ledger, yard.gate())
    with yard.worker(*options):
        (pid,) = yard.running()
        assert job.stop() is True
        stopped(job)
        gone(pid)
        assert hazards.echo.enqueue("next").result(LONG) == "next"
    assert "died" not in yard.log()


def test_rqs_callback_of_a_stopped_job_is_called(
    yard: Yard, client: redis.Redis
) -> None:
    job = RQ.Queue(connection=client).enqueue(
        "tests.support.hazards.hold",
        yard.ledger,
        yard.gate(),
        on_stopped=RQ.Callback("tests.support.shop.callbacks.stopped"),
    )
    with yard.worker():
        yard.running()
        ask.send_stop_job_command(client, job.id)
        wait_until(lambda: job.is_stopped, timeout=LONG, waiting_for="its end")
    words = [b"stopped: tests.support.hazards.hold"]
    assert client.lrange(f"told:{job.id}", 0, -1) == words


def test_commands_are_heard_again_after_the_connection_was_cut(
    yard: Yard, client: redis.Redis
) -> None:
    job = hazards.hold.enqueue(yard.ledger, yard.gate())
    with yard.worker():
        yard.running()
        assert client.client_kill_filter(_type="pubsub") == 1

        def ended() -> bool:
            job.stop()  # one may be told to the connection that dies, as in RQ
            return job.status is Status.STOPPED

        wait_until(ended, timeout=LONG, waiting_for="a listener")
        stopped(job)


def test_many_coroutines_are_stopped_at_once(yard: Yard, client: redis.Redis) -> None:
    jobs = hazards.ahold.enqueue_many([(yard.ledger,)] * 300)
    with yard.worker("--concurrency", "300"):
        yard.running(300)
        assert all(job.stop() for job in jobs)
        wait_until(
            lambda: client.zcard("rq:failed:default") == 300,
            timeout=LONG,
            waiting_for="the end of all",
        )
        assert hazards.echo.enqueue("next").result(LONG) == "next"
    assert "killed" not in yard.log()


def test_only_what_runs_can_be_stopped(store: Store) -> None:
    job = hazards.echo.enqueue(1)
    assert job.stop() is False
    assert queued(store) == [job.id]
    with pytest.raises(errors.NoSuchJob):
        Job("nobody").stop()


def test_a_job_that_swallows_a_stop_is_ended_with_its_process(
    yard: Yard, store: Store
) -> None:
    again = hazards.ahold.enqueue(yard.ledger)
    once = hazards.ahold_once.enqueue(yard.ledger)
    with yard.worker("--kill-after", "1.5"):
        yard.running(2)
        job = hazards.swallow.enqueue(yard.ledger)
        yard.running(3)
        assert job.stop() is True
        stopped(job)
        with pytest.raises(errors.JobFailed, match="because another job did not end"):
            once.result(LONG)
        wait_until(lambda: holds(yard) == 4, timeout=LONG, waiting_for="a second run")
    assert yard.noted().count("swallowed JobStopped") > 1  # it is told each second
    assert store.link.command("HGET", keys.job(again.id), "flow_crashes") is None
    assert "is killed: a job went on for 1.5 s" in yard.log()
    assert "died" not in yard.log()


def test_a_job_whose_process_dies_while_it_is_stopped_does_not_run_again(
    yard: Yard,
) -> None:
    with yard.worker():
        job = hazards.swallow.enqueue(yard.ledger)
        (process,) = yard.running()
        assert job.stop() is True
        yard.expect(2)  # it has swallowed the first
        os.kill(process, signal.SIGKILL)
        stopped(job)
    assert holds(yard) == 1


def test_a_stopped_job_can_be_requeued(yard: Yard, client: redis.Redis) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker():
        yard.running()
        with pytest.raises(RQ.exceptions.InvalidJobOperation):
            RQ.job.requeue_job(job.id, client)  # it runs
        ask.send_stop_job_command(client, job.id)
        stopped(job)
        let_go(gate)
        RQ.job.requeue_job(job.id, client)
        wait_until(
            lambda: job.status is Status.FINISHED,
            timeout=LONG,
            waiting_for="its second run",
        )
    assert len(yard.noted()) == 2


def test_what_rq_cancels_or_deletes_while_it_runs_is_interrupted(
    yard: Yard, client: redis.Redis, store: Store
) -> None:
    jobs = hazards.ahold.enqueue_many([(yard.ledger,)] * 2)
    with yard.worker():
        yard.running(2)
        plain = hazards.hold.enqueue(yard.ledger, yard.gate())
        yard.running(3)
        RQ.job.Job.fetch(plain.id, connection=client).delete()
        RQ.job.Job.fetch(jobs[0].id, connection=client).cancel()
        yard.said(f"the outcome of job {plain.id} was not written")
        yard.said(f"the outcome of job {jobs[0].id} was not written")
        assert [one.job_id for one in store.held(["default"])] == [jobs[1].id]
        assert hazards.echo.enqueue("next").result(LONG) == "next"
    assert f"{plain.id} was not written: meanwhile it was deleted" in yard.log()
    assert f"{jobs[0].id} was not written: meanwhile it was canceled" in yard.log()
    assert jobs[0].status is Status.CANCELED
    assert list(client.scan_iter(f"*{plain.id}*")) == []


def test_rqs_kill_command_is_a_crash(
    yard: Yard, client: redis.Redis, store: Store
) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker() as worker:
        yard.running()
        ask.send_kill_horse_command(client, name(store))
        yard.running(2)
        let_go(gate)
        assert job.result(LONG) == "go"
        assert store.link.command("HGET", keys.job(job.id), "flow_crashes") == b"1"
        ask.send_shutdown_command(client, name(store))
        assert worker.wait(LONG) == 0
    assert "worker stops (RQ's shutdown command)" in yard.log()


def test_a_command_that_nobody_understands_is_ignored(
    yard: Yard, client: redis.Redis, store: Store
) -> None:
    with yard.worker():
        yard.said("worker is up")
        channel = keys.commands(name(store))
        wait_until(
            lambda: client.publish(channel, b"\xff{"),
            timeout=LONG,
            waiting_for="a listener",
        )
        client.publish(channel, "[1]")
        client.publish(channel, json.dumps({"command": "dance"}))
        client.publish(channel, json.dumps({"command": "stop-job"}))
        client.publish(channel, json.dumps({"command": "stop-job", "job_id": "no"}))
        yard.said("stop job no: ignored, it does not run here")
        yard.said("ignored, it is none that flow knows", 3)
        assert hazards.echo.enqueue("next").result(LONG) == "next"


def holds(yard: Yard) -> int:
    """Return how often a job has begun to hold."""
    return len([line for line in yard.noted() if line.startswith("hold")])


def name(store: Store) -> str:
    """Return the name of the worker that is there."""
    found: set[bytes] = wait_until(
        lambda: store.link.command("SMEMBERS", keys.WORKERS),
        timeout=LONG,
        waiting_for="a worker",
    )
    return found.pop().decode().removeprefix(keys.worker(""))
