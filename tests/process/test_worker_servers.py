"""The server goes away and comes back, or was never there."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest
import redis
import rq
from rq import suspension

from flow import keys
from flow.record import Status
from flow.store import leftovers
from tests.support import hazards, workers
from tests.support.faults import APP, ROOT, children, let_go, settled
from tests.support.leaks import queued
from tests.support.server import Server
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most


def test_a_server_that_is_killed_and_started_again_loses_nothing(
    yard: Yard, store: Store, server: Server
) -> None:
    jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(2000)])
    with yard.worker(processes=2) as worker:
        pids = _all(worker)
        for seen in (100, 600, 1100):
            yard.expect(seen)
            server.kill()
            server.start()
        settled(store)
        assert worker.poll() is None
        assert children(worker) == pids  # no process has died of it
    assert {job.status for job in jobs} == {Status.FINISHED}
    assert sorted(yard.noted(), key=int) == [str(n) for n in range(2000)]


def test_what_ends_while_the_server_is_away_is_written_when_it_is_back(
    yard: Yard, server: Server
) -> None:
    gate = yard.gate()
    jobs = hazards.hold.enqueue_many([(yard.ledger, gate)] * 2)
    with yard.worker(processes=2):
        yard.running(2)
        server.kill()
        let_go(gate, "ended meanwhile")
        yard.said("waiting for Redis")
        server.start()
        assert [job.result(LONG) for job in jobs] == ["ended meanwhile"] * 2
        yard.said("Redis is back after")
    assert len(yard.noted()) == 2


def test_the_outcome_that_a_dead_process_had_reached_is_written_for_it(
    yard: Yard, server: Server
) -> None:
    gate = yard.gate()
    job = hazards.hold_once.enqueue(yard.ledger, gate)
    with yard.worker():
        (pid,) = yard.running()
        server.kill()
        let_go(gate)
        # The supervisor says it once, and the process, which cannot send the outcome.
        yard.said("waiting for Redis", 2)
        os.kill(pid, signal.SIGKILL)
        yard.said(f"process {pid} died")
        server.start()
        assert job.result(LONG) == gate.read_text()
    assert len(yard.noted()) == 1


def test_a_worker_stops_although_the_server_is_away(yard: Yard, server: Server) -> None:
    with yard.worker("--grace", "1") as worker:
        yard.said("worker is up")
        wait_until(lambda: children(worker), waiting_for="a process")
        server.kill()
        yard.said("waiting for Redis")
        worker.terminate()
        assert worker.wait(LONG) == 0
    server.start()


def test_cut_connections_lose_and_repeat_nothing(yard: Yard, store: Store) -> None:
    jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(2000)])
    done = threading.Event()

    def cut() -> None:
        with redis.Redis.from_url(yard.url) as client:
            while not done.wait(0.02):
                client.execute_command("CLIENT", "KILL", "TYPE", "normal")

    with yard.worker(processes=2) as worker:
        yard.said("worker is up")
        pids = _all(worker)
        cutter = threading.Thread(target=cut)
        cutter.start()
        with contextlib.ExitStack() as ends:
            ends.callback(cutter.join)
            ends.callback(done.set)
            yard.expect(2000)
        settled(store)
        assert children(worker) == pids
    assert {job.status for job in jobs} == {Status.FINISHED}
    assert sorted(yard.noted(), key=int) == [str(n) for n in range(2000)]


def test_suspended_workers_pause_until_they_are_resumed(
    yard: Yard, store: Store, client: redis.Redis
) -> None:
    with yard.worker():
        yard.said("worker is up")
        suspension.suspend(client)
        jobs = hazards.note.enqueue_many([(yard.ledger, n) for n in range(20)])
        # It has looked, and left them, when it looks again.
        _looks(store, 3)
        assert len(queued(store)) == 20
        suspension.resume(client)
        settled(store)
    assert {job.status for job in jobs} == {Status.FINISHED}


def _all(worker: subprocess.Popen[bytes]) -> list[int]:
    """Wait for both processes of a worker, and return them."""

    def both() -> list[int]:
        found = children(worker)
        return found if len(found) == 2 else []

    return wait_until(both, timeout=LONG, waiting_for="processes")


def _looks(store: Store, times: int) -> None:
    def calls() -> int:
        stats = store.link.command("INFO", "commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])

    goal = calls() + 2 * times  # the upkeep calls, too
    wait_until(lambda: calls() >= goal, timeout=LONG, waiting_for="looks")


def test_a_worker_waits_for_a_server_that_is_not_there_yet(
    yard: Yard, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    folder.mkdir()
    later = Server(folder)
    with yard.worker(url=later.url) as worker:
        yard.said("waiting for Redis")
        assert f"{later.socket}" in yard.log()
        assert worker.poll() is None
        later.start()
        try:
            yard.said("worker is up")
        finally:
            worker.terminate()
            code = worker.wait(LONG)
            later.kill()
    assert code == 0


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_waits_for_a_server_can_be_stopped(
    yard: Yard, tmp_path: Path, stop: signal.Signals
) -> None:
    url = f"unix://{tmp_path / 'nobody'}"
    with yard.worker(url=url) as worker:
        yard.said(f"waiting for Redis: no answer from {url} (--redis-url): ")
        worker.send_signal(stop)
        assert worker.wait(LONG) == 0


def test_a_wrong_password_is_said_in_one_line(
    yard: Yard, client: redis.Redis, server: Server
) -> None:
    client.config_set("requirepass", "right")
    try:
        url = f"unix://:wrong@{server.socket}"
        ended = workers.burst(
            url, APP, yard.folder, environment={"PYTHONPATH": str(ROOT)}
        )
    finally:
        with redis.Redis.from_url(f"unix://:right@{server.socket}") as knowing:
            knowing.config_set("requirepass", "")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("flow: no answer from unix://:***@")
    assert "wrong" not in line.replace("WRONGPASS", "").replace("wrong user", "")


def test_rq_sees_the_worker_and_what_it_does(
    yard: Yard, store: Store, client: redis.Redis
) -> None:
    gate = yard.gate()
    hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker("--queues", "high,default") as worker:
        yard.running()

        def seen() -> list[rq.worker.BaseWorker]:
            found = rq.Worker.all(connection=client)
            return [one for one in found if one.get_state() == "busy"]

        (one,) = wait_until(seen, timeout=LONG, waiting_for="a busy worker")
        assert one.pid == worker.pid
        assert list(one.queue_names()) == ["high", "default"]
        assert one.last_heartbeat is not None
        let_go(gate)
        settled(store)

        def counted() -> bool:
            (one,) = rq.Worker.all(connection=client)
            return one.successful_job_count == 1 and one.get_state() == "idle"

        wait_until(counted, timeout=LONG, waiting_for="the count")


def test_the_start_line_says_what_the_worker_was_told_and_by_whom(
    yard: Yard, server: Server
) -> None:
    with yard.worker("--queues", "a,b", "--threads", "2", "--grace", "7"):
        yard.said("worker is up: ")
    line = next(line for line in yard.log().splitlines() if "worker is up" in line)
    for fact in (
        "serves a, b",
        "processes: 1 (--processes)",
        "each 2 plain and 100 async at a time",
        "grace 7 s (--grace)",
        f"Redis is {server.url} (--redis-url)",
    ):
        assert fact in line


def test_a_worker_warns_of_queues_that_nobody_serves(yard: Yard, store: Store) -> None:
    hazards.note.options(queue="forgotten").enqueue(yard.ledger, 1)
    with yard.worker():
        yard.said("jobs wait in forgotten, which no worker serves")
    assert len(queued(store, "forgotten")) == 1
    assert leftovers.unserved(store, ["forgotten"]) == ["forgotten"]


def test_a_job_is_kept_when_its_ttl_lapses_while_it_runs(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    with yard.worker():
        yard.said("worker is up")
        job = hazards.hold.options(ttl=3).enqueue(yard.ledger, gate)
        yard.running()
        due = int(store.link.command("HGET", keys.job(job.id), "flow_expires"))

        def lapsed() -> bool:
            seconds, micros = store.link.command("TIME")
            return int(seconds) * 1000 + int(micros) / 1000 > due

        wait_until(lapsed, timeout=LONG, waiting_for="the ttl to lapse")
        let_go(gate)
        assert job.result(LONG) == "go"
