"""Workers and their processes die in the middle of jobs: every job still runs."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from flow import errors
from flow.record import Status
from flow.store import beats
from flow.store.client import BEGIN
from flow.workers.line import MOST
from tests.support import hazards
from tests.support.faults import children, everything, gone, let_go, settled
from tests.support.leaks import places, queued
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow import Job
    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most


def test_a_thousand_jobs_over_two_workers_run_once_each(
    yard: Yard, store: Store
) -> None:
    jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(1000)])
    with yard.worker(processes=2), yard.worker(processes=2):
        settled(store)
    assert sorted(yard.noted(), key=int) == [str(n) for n in range(1000)]
    assert {job.status for job in jobs} == {Status.FINISHED}


def test_a_killed_processs_jobs_run_again_at_once(yard: Yard, store: Store) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    rest = hazards.note.enqueue_many([(yard.ledger, n) for n in range(50)])
    with yard.worker() as worker:
        (pid,) = yard.running()
        assert children(worker) == [pid]
        os.kill(pid, signal.SIGKILL)
        lines = yard.expect(2)
        assert lines[1].startswith("hold ")
        assert lines[1] != lines[0]
        let_go(gate)
        settled(store)
    assert job.result(0) == "go"
    assert {one.status for one in rest} == {Status.FINISHED}
    assert f"process {pid} died: signal 9, SIGKILL" in yard.log()


def test_only_the_dead_processs_jobs_run_again(yard: Yard, store: Store) -> None:
    gates = [yard.gate("one"), yard.gate("two")]
    jobs = hazards.hold.enqueue_many([(yard.ledger, gate) for gate in gates])
    with yard.worker(processes=2):
        first, second = yard.running(2)
        os.kill(first, signal.SIGKILL)
        third = int(yard.expect(3)[2].split()[1])
        assert third not in (first, second)
        for gate in gates:
            let_go(gate, gate.name)
        assert [job.result(LONG) for job in jobs] == ["one", "two"]
        settled(store)
    assert len(yard.noted()) == 3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_three_crashes_make_a_dead_letter_that_says_how_it_died(
    yard: Yard, store: Store, number: signal.Signals
) -> None:
    job = hazards.die.enqueue(yard.ledger, number, 99)
    other = hazards.echo.enqueue("after it")
    yard.burst()
    with pytest.raises(errors.JobFailed) as failed:
        job.result(0)
    assert "ProcessLost" in str(failed.value)
    assert f"signal {number.value}, {number.name}" in str(failed.value)
    assert yard.noted() == ["die"] * 3
    assert places(store, job.id) == ["failed"]
    assert other.result(0) == "after it"


def test_a_job_that_kills_its_process_twice_ends_at_its_third_run(yard: Yard) -> None:
    job = hazards.die.enqueue(yard.ledger, signal.SIGKILL, 2)
    yard.burst()
    assert job.status is Status.FINISHED
    assert yard.noted() == ["die"] * 3


def test_a_segfault_is_a_crash_like_any_other(yard: Yard) -> None:
    job = hazards.segfault.enqueue(yard.ledger)
    yard.burst()
    with pytest.raises(errors.JobFailed, match="signal 11, SIGSEGV"):
        job.result(0)


@pytest.mark.parametrize("code", [0, 1, 70])
def test_a_job_that_leaves_the_process_is_a_crash_whatever_its_code(
    yard: Yard, code: int
) -> None:
    job = hazards.leave.enqueue(yard.ledger, code)
    other = hazards.echo.enqueue("after it")
    yard.burst()
    with pytest.raises(errors.JobFailed, match=f"exit code {code}"):
        job.result(0)
    assert yard.noted() == ["leave"] * 3
    assert other.result(0) == "after it"


def test_what_must_not_run_twice_does_not(yard: Yard) -> None:
    job = hazards.hold_once.enqueue(yard.ledger, yard.gate())
    with yard.worker():
        (pid,) = yard.running()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(errors.JobFailed, match="ProcessLost"):
            job.result(LONG)
    assert len(yard.noted()) == 1


def test_a_jobs_programs_die_with_its_process(yard: Yard) -> None:
    hazards.start_a_program.enqueue(yard.ledger)
    with yard.worker() as worker:
        (program,) = yard.running()
        (pid,) = children(worker)
        os.kill(pid, signal.SIGKILL)
        gone(program)
        again = int(yard.expect(2)[1].split()[1])
        worker.terminate()  # in its second run it is put back at the end of the grace
        os.killpg(psutil.Process(again).ppid(), signal.SIGKILL)
        assert worker.wait(LONG) == 0
    yard.nothing_left()


def test_the_programs_of_jobs_die_with_a_killed_supervisor(yard: Yard) -> None:
    hazards.start_a_program.enqueue(yard.ledger)
    hazards.apart_start_a_program.enqueue(yard.ledger)
    with yard.worker(processes=2) as worker:
        programs = yard.running(2)
        os.kill(worker.pid, signal.SIGKILL)
        for program in programs:
            gone(program)
    yard.nothing_left()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_worker_works_and_stops_without_its_guard(
    yard: Yard, number: signal.Signals
) -> None:
    with yard.worker() as worker:
        assert hazards.echo.enqueue(1).result(LONG) == 1
        family = psutil.Process(worker.pid).children()
        (its,) = [one for one in family if one.pid not in children(worker)]
        os.kill(its.pid, number)
        (first,) = children(worker)
        os.kill(first, signal.SIGKILL)  # its successor is not guarded
        assert hazards.echo.enqueue(2).result(LONG) == 2
        worker.terminate()
        assert worker.wait(LONG) == 0
    yard.nothing_left()


def test_a_killed_supervisors_processes_die_and_another_worker_recovers(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    jobs = hazards.hold.enqueue_many([(yard.ledger, gate)] * 2)
    with yard.worker(processes=2) as doomed:
        pids = yard.running(2)
        doomed.kill()
        for pid in pids:
            gone(pid)
        assert [places(store, job.id) for job in jobs] == [["wip"], ["wip"]]
        with yard.worker(processes=2):
            yard.expect(4)  # after the lease of 15 s
            let_go(gate)
            settled(store)
    assert {job.status for job in jobs} == {Status.FINISHED}
    assert "recovered from process" in yard.log()
    assert len(beats.look(store, BEGIN).beats) <= 2


def test_a_whole_group_that_is_killed_loses_nothing(yard: Yard, store: Store) -> None:
    jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(3000)])
    with yard.worker(processes=2) as doomed:
        yard.expect(300)
        for pid in everything(doomed):
            os.kill(pid, signal.SIGKILL)
        doomed.wait()
        left = len(queued(store))
        with yard.worker(processes=2):
            settled(store)
    assert left > 0
    ran = yard.noted()
    assert set(ran) == {str(n) for n in range(3000)}
    # Only what each process ran in its last milliseconds may have run twice.
    assert len(ran) <= 3000 + 2 * (1 + MOST)
    assert {job.status for job in jobs} == {Status.FINISHED}


def test_workers_that_are_killed_all_the_time_lose_nothing(
    yard: Yard, store: Store
) -> None:
    jobs: list[Job[None]] = []
    with yard.worker(processes=2) as worker:
        for n in range(10):
            calls = [(yard.ledger, 100 * n + m) for m in range(100)]
            jobs += hazards.note.enqueue_many(calls)
            yard.expect(100 * n + 20)
            victim = wait_until(lambda: children(worker), waiting_for="a process")[0]
            os.kill(victim, signal.SIGKILL)
        settled(store)
    assert {job.status for job in jobs} <= {Status.FINISHED}
    ran = yard.noted()
    assert set(ran) == {str(n) for n in range(1000)}
    assert len(ran) <= 1010
