"""Processes that have run enough, or grown too large, are replaced by new ones."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

import psutil

from flow.record import Status
from tests.support import hazards
from tests.support.faults import children, let_go, settled
from tests.support.leaks import queued
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most


def test_a_process_runs_so_many_jobs_and_another_takes_its_place(yard: Yard) -> None:
    jobs = hazards.where.enqueue_many([(yard.ledger,)] * 50)
    said = yard.burst("--max-jobs", "10")
    ran = Counter(job.result(0) for job in jobs)
    assert set(ran.values()) == {10}
    assert said.count("it has taken 10 jobs (--max-jobs)") == 5
    assert "died" not in said
    assert "recovered" not in said


def test_replacing_loses_repeats_and_reorders_nothing(yard: Yard, store: Store) -> None:
    hazards.note.enqueue_many([(yard.ledger, n) for n in range(1000)])
    with yard.worker("--max-jobs", "70"):
        settled(store)
    assert yard.noted() == [str(n) for n in range(1000)]


def test_processes_that_are_replaced_and_killed_all_the_time_lose_nothing(
    yard: Yard, store: Store
) -> None:
    jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(600)])
    with yard.worker("--max-jobs", "20", processes=2) as worker:
        for n in range(100, 500, 100):
            yard.expect(n)
            victim = wait_until(lambda: children(worker), waiting_for="a process")[0]
            # It may have just ended by itself, and its number is nobody's.
            if psutil.pid_exists(victim):
                os.kill(victim, signal.SIGKILL)
        settled(store)
    assert {job.status for job in jobs} == {Status.FINISHED}
    assert set(yard.noted()) == {str(n) for n in range(600)}


def test_a_long_coroutine_keeps_no_seat_empty(yard: Yard) -> None:
    gate = yard.gate()
    long = hazards.ahold_at.enqueue(yard.ledger, gate)
    with yard.worker("--max-jobs", "1"):
        (first,) = yard.running()
        # Each of these has a process of its own, while the first still runs.
        others = [hazards.where.enqueue(yard.ledger) for _ in range(3)]
        ran = [job.result(LONG) for job in others]
        assert len({first, *ran}) == 4
        assert psutil.pid_exists(first)
        let_go(gate)
        assert long.result(LONG) == first


def test_a_worker_never_runs_two_plain_jobs_where_one_was_asked_for(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    long = hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker("--max-jobs", "1") as worker:
        (first,) = yard.running()
        other = hazards.where.enqueue(yard.ledger)
        yard.said("is replaced")
        assert children(worker) == [first]
        assert queued(store) == [other.id]
        let_go(gate)
        assert long.result(LONG) == "go"
        assert other.result(LONG) != first


def test_two_processes_of_a_seat_are_all_there_ever_are(yard: Yard) -> None:
    gate = yard.gate()
    jobs = hazards.ahold_at.enqueue_many([(yard.ledger, gate)] * 3)
    with yard.worker("--max-jobs", "1") as worker:
        yard.running(2)
        yard.said("is replaced", 2)
        assert len(children(worker)) == 2
        let_go(gate)
        assert len({job.result(LONG) for job in jobs}) == 3


def test_a_process_that_has_grown_is_replaced_between_jobs(yard: Yard) -> None:
    with yard.worker("--max-memory", "150MB"):
        small = hazards.where.enqueue(yard.ledger).result(LONG)
        large = hazards.grow.enqueue(yard.ledger, 200).result(LONG)
        assert large == small
        yard.said("(--max-memory 150MB)")
        after = hazards.where.enqueue(yard.ledger).result(LONG)
        assert after != large
    assert "died" not in yard.log()


def test_an_app_that_is_too_large_from_the_start_still_runs_jobs(
    yard: Yard, store: Store
) -> None:
    jobs = hazards.where.enqueue_many([(yard.ledger,)] * 20)
    with yard.worker("--max-memory", "1MB"):
        settled(store)
    assert {job.status for job in jobs} == {Status.FINISHED}


def test_a_stop_reaches_a_process_that_is_being_replaced(
    yard: Yard, store: Store
) -> None:
    job = hazards.ahold.enqueue(yard.ledger)
    with yard.worker("--max-jobs", "1", "--grace", "0.5") as worker:
        yard.running()
        yard.said("is replaced")
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert queued(store) == [job.id]


def test_threads_that_a_fork_would_leave_behind_are_named(yard: Yard) -> None:
    (yard.folder / "threaded.py").write_text(
        "import threading\n"
        "wait = threading.Event().wait\n"
        "threading.Thread(target=wait, name='poller', daemon=True).start()\n"
        "from tests.support.hazards import echo\n"
    )
    job = hazards.echo.enqueue(1)
    said = yard.burst("--start-method", "fork", app="threaded")
    assert "the app started threads while it was imported: poller;" in said
    assert job.result(0) == 1
