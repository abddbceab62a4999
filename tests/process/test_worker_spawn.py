"""Processes that are spawned, not forked: the same life, in fresh interpreters."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from flow import Queue
from flow.record import Status
from tests.support import hazards
from tests.support.faults import children, gone, let_go, settled
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess

    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most
SPAWN = ("--start-method", "spawn")
APP = """\
import os
import threading

from flow import task

ASKED, TOLD = threading.Event(), threading.Event()
LOADED_BY = os.getpid()


def poll() -> None:
    while ASKED.wait():
        TOLD.set()


threading.Thread(target=poll, name="poller", daemon=True).start()


@task
def loaded() -> tuple[int, int]:
    return LOADED_BY, os.getpid()


@task(isolate=True)
def loaded_apart() -> tuple[int, int]:
    return LOADED_BY, os.getpid()


@task
def asks_its_thread() -> bool:
    ASKED.set()
    return TOLD.wait(60)
"""


def spawned(worker: subprocess.Popen[bytes]) -> list[int]:
    """Return the worker's processes that are programs of their own."""
    commands = {pid: psutil.Process(pid).cmdline() for pid in children(worker)}
    return [pid for pid, words in commands.items() if "spawned.py" in " ".join(words)]


def test_an_app_that_starts_threads_is_loaded_by_each_process_itself(
    yard: Yard,
) -> None:
    (yard.folder / "threaded.py").write_text(APP)
    names = ("loaded", "loaded_apart", "asks_its_thread")
    plain, apart, asks = [Queue().enqueue(f"threaded.{name}") for name in names]
    with yard.worker("--start-method", "auto", app="threaded") as worker:
        (by, where), (by_apart, where_apart) = plain.result(LONG), apart.result(LONG)
        assert by in children(worker)
        assert asks.result(LONG) is True
    assert "processes are spawned (the app has started threads: poller)" in yard.log()
    assert (by, by_apart) == (where, where_apart)
    assert len({by, by_apart, worker.pid}) == 3


def test_what_a_killed_process_held_runs_in_its_successor(yard: Yard) -> None:
    gate = yard.gate()
    jobs = hazards.hold.enqueue_many([(yard.ledger, gate)] * 2)
    with yard.worker(*SPAWN, processes=2) as worker:
        victim, other = yard.running(2)
        os.kill(victim, signal.SIGKILL)
        assert yard.running(3)[-1] not in (victim, other)
        yard.said(f"process {victim} died: signal 9, SIGKILL")
        let_go(gate)
        assert [job.result(LONG) for job in jobs] == ["go", "go"]
        assert worker.poll() is None


def test_a_stop_of_all_processes_lets_jobs_end(yard: Yard) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker(*SPAWN) as worker:
        (pid,) = yard.running()
        for one in (pid, worker.pid):  # as Heroku does
            os.kill(one, signal.SIGTERM)
        yard.said("worker stops (SIGTERM)")
        let_go(gate)
        assert worker.wait(LONG) == 0
    assert job.result(0) == "go"
    gone(pid)


def test_a_stop_while_a_process_starts_is_obeyed(yard: Yard) -> None:
    (yard.folder / "slow.py").write_text(
        "import os, pathlib, threading\n"
        "pathlib.Path(f'loads-{os.getpid()}').touch()\n"
        "while not pathlib.Path('go').exists():\n"
        "    threading.Event().wait(0.01)\n"
    )
    with yard.worker(*SPAWN, app="slow") as worker:
        (yard.folder / "go").touch()
        yard.said("worker is up")
        (yard.folder / "go").unlink()
        (pid,) = wait_until(lambda: spawned(worker), waiting_for="a process")
        os.kill(pid, signal.SIGTERM)
        worker.terminate()
        (yard.folder / "go").touch()
        assert worker.wait(LONG) == 0
    assert "died" not in yard.log()


def test_they_end_with_their_supervisor(yard: Yard) -> None:
    hazards.hold.enqueue(yard.ledger, yard.gate())
    with yard.worker(*SPAWN) as worker:
        (pid,) = yard.running()
        assert spawned(worker) == [pid]
        worker.kill()
        gone(pid)


@pytest.mark.parametrize("options", [(), ("--max-jobs", "7"), ("--threads", "3")])
def test_every_job_runs_once(
    yard: Yard, store: Store, options: tuple[str, ...]
) -> None:
    jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(40)])
    jobs += hazards.anote.enqueue_many([(yard.ledger, n) for n in range(40, 50)])
    with yard.worker(*SPAWN, *options, processes=2):
        settled(store)
    assert {job.status for job in jobs} == {Status.FINISHED}
    assert sorted(yard.noted(), key=int) == [str(n) for n in range(50)]
    assert "died" not in yard.log()
