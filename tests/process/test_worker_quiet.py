"""A quiet worker finishes what it has and takes nothing new, until it is resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import rq

from flow import keys
from flow.cli.workers import find
from flow.errors import FlowError
from flow.record import Status
from flow.store import fleet
from flow.store.fleet import Seen
from tests.support import hazards, workers
from tests.support.apps import ROOT
from tests.support.faults import children, everything, let_go, settled
from tests.support.leaks import queued
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most


def flow(yard: Yard, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flow", *words, "--redis-url", yard.url],
        cwd=yard.folder,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )


def the_worker(store: Store) -> Seen:
    return wait_until(
        lambda: fleet.workers(store), timeout=LONG, waiting_for="a worker"
    )[0]


def state(store: Store, expected: str) -> None:
    wait_until(
        lambda: [one.state for one in fleet.workers(store)] == [expected],
        timeout=LONG,
        waiting_for=f"the state {expected}",
    )


def test_a_signal_quiets_a_worker_and_a_command_resumes_it(
    yard: Yard, store: Store, client: redis.Redis
) -> None:
    job = hazards.hold.enqueue(yard.ledger, yard.gate())
    with yard.worker() as worker:
        yard.running()
        worker.send_signal(signal.SIGTSTP)
        worker.send_signal(signal.SIGTSTP)  # it says so once
        state(store, "suspended")
        name = the_worker(store).name
        yard.said("worker is quiet (SIGTSTP): what runs goes on, nothing new is taken")
        late = hazards.echo.enqueue("late")
        let_go(yard.gate())
        assert job.result(LONG) == "go"
        (theirs,) = rq.Worker.all(connection=client)
        assert theirs.get_state() == "suspended"
        assert late.status is Status.QUEUED
        told = flow(yard, "workers", "resume", name)
        assert (told.returncode, told.stdout) == (0, f"{name} takes jobs\n")
        assert late.result(LONG) == "late"
        state(store, "idle")
    assert yard.log().count("worker is quiet") == 1
    assert yard.log().count("worker takes jobs again") == 1


def test_a_command_quiets_a_worker_by_the_beginning_of_its_name(
    yard: Yard, store: Store
) -> None:
    with yard.worker() as worker:
        name = the_worker(store).name
        told = flow(yard, "workers:quiet", name[:-2])
        assert (told.returncode, told.stdout) == (0, f"{name} takes nothing new\n")
        waiting = hazards.echo.enqueue(1)
        # Told again, and by another way: nothing changes.
        assert flow(yard, "workers", "quiet", name).returncode == 0
        listed = flow(yard, "workers")
        assert "suspended" in listed.stdout
        assert name in listed.stdout
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert queued(store) == [waiting.id]
    assert "worker has stopped" in yard.log()


def test_the_list_says_who_lives_and_what_they_hold(yard: Yard, store: Store) -> None:
    job = hazards.hold.enqueue(yard.ledger, yard.gate())
    with yard.worker("--queues", "default,mail") as worker:
        yard.running()
        state(store, "busy")
        (one,) = json.loads(flow(yard, "workers", "--json").stdout)
        assert one["pid"] == worker.pid
        assert (one["queues"], one["engine"]) == (["default", "mail"], "flow")
        assert (one["running"], one["jobs"]) == (1, [job.id])
        assert (one["done"], one["failed"]) == (0, 0)
        let_go(yard.gate())
        settled(store)


def test_quieted_in_the_middle_of_many_jobs_nothing_is_lost_or_doubled(
    yard: Yard, store: Store
) -> None:
    jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(2000)])
    with yard.worker(processes=2) as worker:
        yard.expect(50)
        worker.send_signal(signal.SIGTSTP)
        state(store, "suspended")
        wait_until(
            lambda: not store.held(["default"]),
            timeout=LONG,
            waiting_for="what was claimed to end or go back",
        )
        assert len(queued(store)) + len(yard.noted()) == 2000
        assert fleet.order(store, the_worker(store).name, "resume")
        settled(store)
    assert sorted(yard.noted(), key=int) == [str(n) for n in range(2000)]
    assert {job.status for job in jobs} == {Status.FINISHED}


def test_a_ctrl_z_to_all_processes_freezes_none_and_another_worker_goes_on(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker() as worker:
        yard.running()
        for pid in everything(worker):
            os.kill(pid, signal.SIGTSTP)
        state(store, "suspended")
        states = [psutil.Process(pid).status() for pid in everything(worker)]
        assert psutil.STATUS_STOPPED not in states
        other = hazards.echo.enqueue("other")
        with yard.worker():
            assert other.result(LONG) == "other"
        let_go(gate)
        assert job.result(LONG) == "go"


def test_a_new_process_of_a_quiet_worker_is_quiet_too(yard: Yard, store: Store) -> None:
    with yard.worker() as worker:
        yard.said("worker is up")
        worker.send_signal(signal.SIGTSTP)
        state(store, "suspended")
        waiting = hazards.echo.enqueue(1)
        (pid,) = children(worker)
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: children(worker) not in ([], [pid]),
            timeout=LONG,
            waiting_for="another process",
        )
        # What Redis forgets does not wake it either.
        store.link.command("DEL", keys.worker(the_worker(store).name))
        state(store, "suspended")
        assert waiting.status is Status.QUEUED
        assert fleet.order(store, the_worker(store).name, "resume")
        assert waiting.result(LONG) == 1


def test_a_quiet_burst_waits_until_it_may_go_on(yard: Yard, store: Store) -> None:
    gate = yard.gate()
    first = hazards.hold.enqueue(yard.ledger, gate)
    second = hazards.echo.enqueue(2)
    with yard.worker("--burst") as worker:
        yard.running()
        worker.send_signal(signal.SIGTSTP)
        state(store, "suspended")
        let_go(gate)
        assert first.result(LONG) == "go"
        assert second.status is Status.QUEUED
        assert fleet.order(store, the_worker(store).name, "resume")
        assert worker.wait(LONG) == 0
    assert second.result(0) == 2


def test_an_order_to_nobody_leaves_nothing(yard: Yard, store: Store) -> None:
    assert not fleet.order(store, "nobody", "quiet")
    told = flow(yard, "workers", "quiet", "nobody")
    assert told.returncode == 2
    assert told.stderr == "flow: there is no worker 'nobody'; none lives\n"
    assert store.link.command("KEYS", "*") == []


def test_an_order_that_stood_there_before_a_worker_came_is_not_obeyed(
    yard: Yard, store: Store
) -> None:
    # A worker of the same name was killed a moment ago.
    key = keys.worker("w")
    store.link.command("HSET", key, "flow_order", "quiet 1")
    store.link.command("EXPIRE", key, 60)
    job = hazards.echo.enqueue(1)
    ended = workers.rq_burst(
        yard.url,
        yard.folder,
        *("--name", "w", "--worker-class", "flow.workers.Worker"),
        environment={"PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 0, ended.stderr
    assert job.result(0) == 1


def one(name: str) -> Seen:
    return Seen(name, "host", 1, ["default"], "idle", 0, [], 0, 0, None, "flow")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("host", "2 workers begin so: host.12.abc, host.123.abc"),
        ("", "there is no worker ''; living: host.12.abc, host.123.abc, other.1.a"),
        ("hots", "there is no worker 'hots'; living: host.12.abc, host.123.abc, other"),
    ],
)
def test_a_name_that_names_not_just_one_is_refused(name: str, message: str) -> None:
    living = [one("host.12.abc"), one("host.123.abc"), one("other.1.a")]
    with pytest.raises(FlowError, match=message):
        find(living, name)


def test_a_whole_name_wins_over_those_that_begin_so() -> None:
    living: Sequence[Seen] = [one("w"), one("w2")]
    assert find(living, "w").name == "w"
    assert find(living, "w2").name == "w2"


def test_rqs_own_workers_are_listed_and_cannot_be_told(
    yard: Yard, store: Store, client: redis.Redis
) -> None:
    theirs: Any = rq.SimpleWorker(["default"], connection=client, name="theirs")
    theirs.register_birth()
    try:
        (seen,) = fleet.workers(store)
        assert (seen.name, seen.engine, seen.queues) == ("theirs", "rq", ["default"])
        told = flow(yard, "workers", "quiet", "theirs")
        assert told.returncode == 2
        assert "theirs is a worker of RQ's own" in told.stderr
        assert "(RQ's)" in flow(yard, "workers").stdout
    finally:
        theirs.register_death()
