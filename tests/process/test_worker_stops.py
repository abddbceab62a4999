"""Workers stop: what runs may end within the grace, the rest goes back uncounted."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from flow import errors, keys
from flow.record import Status
from flow.store import beats
from flow.store.client import BEGIN
from flow.workers.supervisor import TWICE
from tests.support import hazards
from tests.support.faults import children, everything, let_go, settled
from tests.support.leaks import places, queued
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess

    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most


def crashes(store: Store, job_id: str) -> int:
    return int(store.link.command("HGET", keys.job(job_id), "flow_crashes") or 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_runs_may_end_and_nothing_new_begins(
    yard: Yard, store: Store, number: int
) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    waiting = hazards.echo.enqueue(1)
    with yard.worker() as worker:
        yard.running()
        worker.send_signal(number)
        yard.said("worker stops")
        let_go(gate)
        assert worker.wait(LONG) == 0
    assert job.result(0) == "go"
    assert queued(store) == [waiting.id]
    assert "worker has stopped" in yard.log()


def test_what_has_not_ended_within_the_grace_goes_back_uncounted(
    yard: Yard, store: Store
) -> None:
    first = hazards.hold.enqueue(yard.ledger, yard.gate())
    second = hazards.echo.enqueue(1)
    with yard.worker("--grace", "0.5") as worker:
        (pid,) = yard.running()
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert not psutil.pid_exists(pid)
    assert queued(store) == [first.id, second.id]
    assert crashes(store, first.id) == 0


def test_what_must_not_run_twice_fails_when_it_is_cut_off(
    yard: Yard, store: Store
) -> None:
    job = hazards.hold_once.enqueue(yard.ledger, yard.gate())
    with yard.worker("--grace", "0.5") as worker:
        yard.running()
        worker.terminate()
        assert worker.wait(LONG) == 0
    with pytest.raises(errors.JobFailed, match="Interrupted: the worker stopped"):
        job.result(0)
    assert queued(store) == []


def test_a_second_interrupt_stops_at_once(yard: Yard, store: Store) -> None:
    job = hazards.hold.enqueue(yard.ledger, yard.gate())
    with yard.worker("--grace", "1000") as worker:
        yard.running()
        worker.send_signal(signal.SIGINT)
        yard.said("worker stops (Ctrl-C")
        later = time.monotonic() + TWICE
        wait_until(
            lambda: time.monotonic() > later, waiting_for="a second one to count"
        )
        worker.send_signal(signal.SIGINT)
        assert worker.wait(LONG) == 0
    assert queued(store) == [job.id]
    assert crashes(store, job.id) == 0


def test_an_interrupt_that_comes_twice_at_once_is_one(yard: Yard) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker() as worker:
        yard.running()
        for _ in range(5):
            worker.send_signal(signal.SIGINT)
        yard.said("worker stops (Ctrl-C")
        let_go(gate)
        assert worker.wait(LONG) == 0
    assert job.result(0) == "go"


def test_a_signal_to_every_process_lets_jobs_end(yard: Yard, store: Store) -> None:
    gate = yard.gate()
    jobs = hazards.hold.enqueue_many([(yard.ledger, gate)] * 2)
    waiting = hazards.echo.enqueue(1)
    with yard.worker(processes=2) as worker:
        yard.running(2)
        for pid in everything(worker):  # as Heroku does
            os.kill(pid, signal.SIGTERM)
        yard.said("worker stops (SIGTERM)")
        let_go(gate)
        assert worker.wait(LONG) == 0
    assert [job.result(0) for job in jobs] == ["go", "go"]
    assert queued(store) == [waiting.id]


def terminate_at_once(worker: subprocess.Popen[bytes], pids: list[int]) -> None:
    """Signal all at the same instant, whatever else this machine does."""
    (process,) = children(worker)
    os.kill(process, signal.SIGSTOP)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    os.kill(process, signal.SIGCONT)


def test_a_job_whose_program_dies_of_the_signal_is_interrupted_not_failed(
    yard: Yard, store: Store
) -> None:
    job = hazards.need_a_program.enqueue(yard.ledger)
    with yard.worker() as worker:
        yard.running()
        terminate_at_once(worker, everything(worker))  # its program first
        assert worker.wait(LONG) == 0
    assert places(store, job.id) == ["queue"]
    assert "interrupted by the stop" in yard.log()


def test_what_was_interrupted_does_not_begin_again_before_the_worker_follows(
    yard: Yard, store: Store
) -> None:
    job = hazards.need_a_program.enqueue(yard.ledger)
    with yard.worker() as worker:
        yard.running()
        # Its program and its process, no more.
        terminate_at_once(worker, everything(worker)[:-1])
        wait_until(
            lambda: places(store, job.id) == ["queue"], waiting_for="the way back"
        )
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert len(yard.noted()) == 1


def test_a_process_that_was_signalled_alone_goes_on_as_before(
    yard: Yard,
) -> None:
    # One process alone was signalled, and its supervisor did not follow.
    gate = yard.gate()
    hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker() as worker:
        (pid,) = yard.running()
        os.kill(pid, signal.SIGTERM)
        let_go(gate)
        late = hazards.hold.options(timeout=3).enqueue(yard.ledger, yard.gate("no"))
        with pytest.raises(errors.JobFailed, match="JobTimeoutException"):
            late.result(LONG)
        job = hazards.leave_python.enqueue(RuntimeError)
        with pytest.raises(errors.JobFailed, match="RuntimeError"):
            job.result(LONG)
        assert worker.poll() is None


def test_a_stop_while_many_short_jobs_run_loses_and_repeats_none(
    yard: Yard, store: Store
) -> None:
    jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(2000)])
    stops = 0
    while queued(store):
        stops += 1
        with yard.worker(processes=2) as worker:
            yard.expect(min(2000, len(yard.noted()) + 150))
            worker.terminate()
            assert worker.wait(LONG) == 0
        assert store.held(["default"]) == []
    assert stops > 1
    assert sorted(yard.noted(), key=int) == [str(n) for n in range(2000)]
    assert {job.status for job in jobs} == {Status.FINISHED}


def test_a_stop_of_coroutines_puts_them_back(yard: Yard, store: Store) -> None:
    jobs = hazards.ahold.enqueue_many([(yard.ledger,)] * 20)
    with yard.worker("--grace", "0.5") as worker:
        yard.running(20)
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert queued(store) == [job.id for job in jobs]


def test_an_idle_worker_stops_at_once_though_its_grace_is_long(yard: Yard) -> None:
    with yard.worker("--grace", "1000", processes=2) as worker:
        yard.said("worker is up")
        worker.terminate()
        assert worker.wait(LONG) == 0


def test_a_worker_that_stopped_has_left(yard: Yard, store: Store) -> None:
    hazards.echo.enqueue(1)
    with yard.worker(processes=2) as worker:
        settled(store)
        assert len(children(worker)) == 2
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert beats.look(store, BEGIN).beats == {}
    assert store.link.command("SCARD", keys.WORKERS) == 0


def test_a_stopped_process_goes_on_when_it_is_continued(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker() as worker:
        (pid,) = yard.running()
        for one in everything(worker):
            os.kill(one, signal.SIGSTOP)
        let_go(gate)
        other = hazards.echo.enqueue("meanwhile")
        for one in everything(worker):
            os.kill(one, signal.SIGCONT)
        assert job.result(LONG) == "go"
        assert other.result(LONG) == "meanwhile"
        assert children(worker) == [pid]
        settled(store)
    assert len(yard.noted()) == 1


def test_rqs_shutdown_command_stops_a_worker(yard: Yard, store: Store) -> None:
    with yard.worker() as worker:
        yard.said("worker is up")
        (key,) = _workers(store)
        # What RQ's own readers write of a worker that was asked to stop.
        asked = ("shutdown_requested_date", "2026-01-01T00:00:00.000000Z")
        store.link.command("HSET", key, *asked)
        assert worker.wait(LONG) == 0
    assert "asked to in Redis" in yard.log()


def _workers(store: Store) -> list[str]:
    found = wait_until(
        lambda: store.link.command("SMEMBERS", keys.WORKERS), waiting_for="a worker"
    )
    return [key.decode() for key in found]
