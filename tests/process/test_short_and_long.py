"""Many short jobs and a few long ones among them."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from typing import TYPE_CHECKING

from flow.record import Status
from tests.support import hazards
from tests.support.faults import children, let_go, settled
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from flow import Job
    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most
PROCESSES = 4


def test_short_jobs_pass_long_ones_of_their_own_task(yard: Yard) -> None:
    gate = yard.gate()
    with yard.worker(processes=PROCESSES):
        _learn(yard)
        # One of a hundred is long: three of four slots are taken before the end.
        calls: list[tuple[Path, int, Path | None]] = [
            (yard.ledger, n, gate if n % 100 == 50 else None) for n in range(300)
        ]
        jobs = hazards.step.enqueue_many(calls)
        for n, job in enumerate(jobs):
            if n % 100 != 50:
                job.result(LONG)
        held = [job.status for n, job in enumerate(jobs) if n % 100 == 50]
        assert held == [Status.STARTED] * 3
        let_go(gate)
        for job in jobs:
            job.result(LONG)
    assert len(yard.noted()) == 500


def test_coroutines_go_on_while_a_plain_job_has_the_only_thread(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    held = hazards.hold.enqueue(yard.ledger, gate)
    before = [hazards.aecho.enqueue(n) for n in range(30)]
    with yard.worker():
        assert [job.result(LONG) for job in before] == list(range(30))
        later = [hazards.aecho.enqueue(n) for n in range(3)]
        assert [job.result(LONG) for job in later] == [0, 1, 2]
        # What is next has to wait for the thread, and is not claimed in vain.
        behind = hazards.echo.enqueue("behind")
        last = hazards.aecho.enqueue("last")
        assert held.status == Status.STARTED
        let_go(gate)
        assert [behind.result(LONG), last.result(LONG)] == ["behind", "last"]
        settled(store)
    assert len(yard.noted()) == 1


def test_short_jobs_pass_those_that_keep_the_interpreter(yard: Yard) -> None:
    with yard.worker(processes=PROCESSES):
        _learn(yard)
        keepers = []
        shorts = []
        for part in range(3):
            keepers.append(hazards.keep_the_interpreter.enqueue(yard.ledger, 600.0))
            calls = [(yard.ledger, n) for n in range(100 * part, 100 * part + 99)]
            shorts += hazards.step.enqueue_many(calls)
        for job in shorts:
            job.result(LONG)
        assert [job.status for job in keepers] == [Status.STARTED] * 3


def test_short_jobs_pass_one_of_their_own_task_that_keeps_the_interpreter(
    yard: Yard,
) -> None:
    pipe = yard.gate("pipe")
    os.mkfifo(pipe)
    with yard.worker(processes=2):
        for job in hazards.step_or_keep.enqueue_many(_plain(yard, -200, 0)):
            job.result(LONG)
        calls: list[tuple[Path, int, Path | None]] = [
            (yard.ledger, n, pipe if n == 50 else None) for n in range(300)
        ]
        jobs = hazards.step_or_keep.enqueue_many(calls)
        keeper = jobs.pop(50)
        for job in jobs:
            job.result(LONG)
        wait_until(
            lambda: keeper.status is Status.STARTED,
            timeout=LONG,
            waiting_for="the keeper to run",
        )
        _let_go_of(pipe, keeper)
    assert len(yard.noted()) == 500
    assert "refused" not in yard.log()


def test_a_kill_while_its_line_is_taken_back_loses_and_repeats_nothing(
    yard: Yard, store: Store
) -> None:
    pipe = yard.gate("pipe")
    os.mkfifo(pipe)
    with yard.worker(processes=2):
        for job in hazards.step_or_keep.enqueue_many(_plain(yard, -200, 0)):
            job.result(LONG)
        calls: list[tuple[Path, int, Path | None]] = [
            (yard.ledger, n, pipe if n % 100 == 50 else None) for n in range(300)
        ]
        jobs = hazards.step_or_keep.enqueue_many(calls)
        # As soon as it runs: what stands behind it goes back just now, or has.
        os.kill(_process_of(yard, 50), signal.SIGKILL)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        for job in jobs:
            job.result(LONG)
        settled(store)
        os.close(reader)
    ran = [int(line.split()[0]) for line in yard.noted()]
    assert set(ran) == set(range(-200, 300))
    assert {n for n in ran if ran.count(n) > 1} <= {50}


def test_a_kill_repeats_only_what_was_running(yard: Yard, store: Store) -> None:
    killed: set[int] = set()
    with yard.worker(processes=2) as worker:
        for part in range(5):
            calls = [(yard.ledger, n) for n in range(200 * part, 200 * part + 200)]
            jobs = hazards.step.enqueue_many(calls)
            yard.expect(200 * part + 60)
            victim = wait_until(lambda: children(worker), waiting_for="a process")[0]
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
            for job in jobs:
                job.result(LONG)
        settled(store)
    _only_the_last_was_repeated(yard, killed, 1000)


def _only_the_last_was_repeated(yard: Yard, killed: set[int], count: int) -> None:
    ran: dict[int, list[int]] = defaultdict(list)
    of: dict[int, list[int]] = defaultdict(list)
    for line in yard.noted():
        number, pid = map(int, line.split())
        ran[pid].append(number)
        of[number].append(pid)
    assert sorted(of) == list(range(count))
    for number, (*before, _) in of.items():
        for pid in before:
            assert pid in killed
            assert ran[pid][-1] == number, "what had ended before ran again"


def _plain(yard: Yard, first: int, last: int) -> list[tuple[Path, int]]:
    return [(yard.ledger, n) for n in range(first, last)]


def _process_of(yard: Yard, number: int) -> int:
    """Wait until a job has begun, and return the process that runs it."""

    def found() -> list[int]:
        lines = [line.split() for line in yard.noted()]
        return [int(pid) for n, pid in lines if int(n) == number]

    return wait_until(found, timeout=LONG, waiting_for=f"job {number}")[0]


def _let_go_of(pipe: Path, keeper: Job[None]) -> None:
    """Be the reader that a job waits for, until it ends."""
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        keeper.result(LONG)
    finally:
        os.close(reader)


def _learn(yard: Yard) -> None:
    """Have the worker know how short these jobs are."""
    jobs = hazards.step.enqueue_many([(yard.ledger, -n) for n in range(1, 201)])
    for job in jobs:
        job.result(LONG)
