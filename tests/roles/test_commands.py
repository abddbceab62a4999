"""Commands: what was claimed and has not begun is dropped; the server may be away."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from flow import errors, keys
from flow.job import Job
from flow.record import Status
from flow.workers import aftermath
from flow.workers.board import Board
from flow.workers.commands import FOLLOWED, Commands
from flow.workers.deadlines import Deadlines
from flow.workers.process import Process
from tests.support.apps import RQ
from tests.support.leaks import places, queued
from tests.support.turns import Turns, finished, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from flow.store.client import Store
    from tests.support.server import Server

Untyped = Any  # redis-py is typed in part
PATIENCE = 5.0
LONG = 60.0  # seconds a wait may take at most


class Worker:
    """What a supervisor has, around one process that claims by hand."""

    def __init__(self, store: Store, board: Board) -> None:
        self.turns = Turns(store)
        self.part = board.part(0)
        self.part.clear()
        # Nothing runs in these tests, so nothing is signalled.
        self.process = Process(0, 0, self.part, -1, os.getpid(), 0.0, self.turns.name)
        self.clock = 0.0  # seconds
        self.commands = Commands(
            store,
            "w",
            lambda: [self.process],
            Deadlines(lambda: [self.process], PATIENCE),
            lambda: None,
            monotonic=lambda: self.clock,
        )

    def hear(self, **command: str) -> None:
        self.commands.hear(json.dumps(command).encode())


@pytest.fixture
def worker(store: Store) -> Iterator[Worker]:
    board = Board(1, 10)
    worker = Worker(store, board)
    yield worker
    board.close()


def test_what_was_claimed_and_has_not_begun_is_dropped(
    worker: Worker, store: Store
) -> None:
    store.enqueue([record()])
    claim = worker.turns.one()
    worker.hear(command="stop-job", job_id=claim.job_id)
    worker.commands.run_once()
    assert store.status(claim.job_id) is Status.STOPPED
    assert places(store, claim.job_id) == ["failed"]
    assert worker.part.begin(1) is False
    assert store.unclaim([claim]) == []
    assert worker.turns.settle(finished(claim)) == [(claim.job_id, "lost")]
    with pytest.raises(errors.JobFailed, match="JobStopped"):
        Job[int](claim.job_id, store).result(0)


def test_the_callback_of_what_was_dropped_is_run_by_another(
    worker: Worker, store: Store, client: redis.Redis
) -> None:
    hears = RQ.Callback("tests.support.shop.callbacks.stopped")
    queue = RQ.Queue(connection=client)
    job = queue.enqueue("tests.support.shop.plain.wait", on_stopped=hears)
    claim = worker.turns.one()
    worker.hear(command="stop-job", job_id=job.id)
    worker.commands.run_once()
    assert queued(store) == [f"{job.id}-{claim.execution}"]
    aftermath.tell(job.id, "", "stopped")
    assert client.llen(f"told:{job.id}") == 1
    worker.turns.settle(finished(worker.turns.one(), ttl=0))


def test_what_has_begun_is_told_to_end_and_is_left_to_its_process(
    worker: Worker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals: list[int] = []

    def kill(_pid: int, number: int) -> None:
        signals.append(number)

    monkeypatch.setattr(os, "kill", kill)
    store.enqueue([record()])
    claim = worker.turns.one()
    assert worker.part.begin(1)
    worker.hear(command="stop-job", job_id=claim.job_id)
    worker.commands.run_once()
    assert signals == [signal.SIGURG]
    assert worker.part.asked.numbers() == {1}
    assert worker.turns.settle(finished(claim)) == []


def test_of_two_executions_the_one_that_is_named_is_stopped(
    worker: Worker, store: Store
) -> None:
    store.enqueue([record()])
    claim = worker.turns.one()
    other = f"{worker.turns.name}-99"
    named = {"command": "stop-execution", "job_id": claim.job_id}
    worker.hear(**named, execution_id=other)
    worker.commands.run_once()
    assert store.status(claim.job_id) is Status.STARTED
    worker.hear(**named, execution_id=claim.execution)
    worker.commands.run_once()
    assert store.status(claim.job_id) is Status.STOPPED


def test_commands_that_cannot_be_done_hold_up_no_other(
    worker: Worker, store: Store
) -> None:
    store.enqueue([record()])
    claim = worker.turns.one()
    worker.commands.hear(b"[" * 100_000)  # JSON too deep to be read
    worker.hear(command="stop-job", job_id="half a character \ud800")
    worker.hear(command="stop-job", job_id=claim.job_id)
    worker.commands.run_once()
    assert store.status(claim.job_id) is Status.STOPPED


def test_the_job_of_another_worker_is_left_alone(worker: Worker, store: Store) -> None:
    store.enqueue([record()])
    other = Turns(store)
    claim = other.one()
    worker.hear(command="stop-job", job_id=claim.job_id)
    worker.commands.run_once()
    assert other.settle(finished(claim)) == []


def test_a_stop_finds_a_job_that_was_put_back_meanwhile(
    worker: Worker, store: Store
) -> None:
    store.enqueue([record()])
    claim = worker.turns.one()
    store.unclaim([claim])
    worker.hear(command="stop-job", job_id=claim.job_id)
    worker.commands.run_once()
    assert store.status(claim.job_id) is Status.CANCELED
    assert queued(store) == []


def test_a_stop_finds_a_job_whose_process_is_being_buried(
    worker: Worker, store: Store
) -> None:
    store.enqueue([record()])
    dead = Turns(store)
    claim = dead.one()
    worker.hear(command="stop-job", job_id=claim.job_id)
    worker.commands.run_once()
    assert store.status(claim.job_id) is Status.STARTED
    store.unclaim([claim])
    again = worker.turns.one()
    worker.commands.run_once()
    assert store.status(claim.job_id) is Status.STOPPED
    assert worker.turns.settle(finished(again)) == [(claim.job_id, "lost")]


def test_a_stop_follows_a_job_to_another_worker(
    worker: Worker, store: Store, client: Untyped
) -> None:
    store.enqueue([record()])
    claim = Turns(store).one()
    store.link.command("HSET", keys.job(claim.job_id), "worker_name", "other")
    with client.pubsub() as other:
        other.subscribe(keys.commands("other"))
        assert other.get_message(timeout=LONG)
        worker.hear(command="stop-job", job_id=claim.job_id)
        worker.commands.run_once()
        heard = other.get_message(timeout=LONG)
    told = {"command": "stop-job", "job_id": claim.job_id}
    assert json.loads(heard["data"]) == told
    store.unclaim([claim])


def test_a_stop_that_finds_nothing_to_stop_is_given_up_after_ten_seconds(
    worker: Worker, store: Store
) -> None:
    store.enqueue([record()])
    claim = Turns(store).one()
    worker.hear(command="stop-job", job_id=claim.job_id)
    worker.commands.run_once()
    worker.clock = FOLLOWED
    worker.commands.run_once()
    store.unclaim([claim])
    worker.commands.run_once()
    assert queued(store) == [claim.job_id]


def test_a_stop_is_not_given_up_sooner_for_others_that_hurry_the_turns(
    worker: Worker, store: Store
) -> None:
    store.enqueue([record() for _ in range(20)])
    dead = Turns(store)
    claims = dead.take(20)
    for claim in claims:
        worker.hear(command="stop-job", job_id=claim.job_id)
        worker.commands.run_once()
    worker.clock = FOLLOWED - 1
    store.unclaim(claims)
    worker.commands.run_once()
    ended = {store.status(claim.job_id) for claim in claims}
    assert ended == {Status.CANCELED}


def test_a_stop_finds_a_job_that_waits_for_its_rate_limit(
    worker: Worker, store: Store, client: Untyped
) -> None:
    queue, limit = RQ.Queue(connection=client), RQ.RateLimit("api", 1)
    path = "tests.support.shop.plain.wait"
    first, second = (queue.enqueue(path, rate_limit=limit).id for _ in range(2))
    assert store.status(second) is Status.RATE_LIMITED
    for job_id in (second, first):
        worker.hear(command="stop-job", job_id=job_id)
    worker.commands.run_once()
    for job_id in (first, second):
        assert store.status(job_id) is Status.CANCELED
    assert client.keys("rq:rl*") == []


def test_a_stop_leaves_a_later_job_of_the_same_id_alone(
    worker: Worker, store: Store
) -> None:
    job = record()
    store.enqueue([job])
    dead = Turns(store)
    claim = dead.one()
    worker.hear(command="stop-job", job_id=job.id)
    worker.commands.run_once()
    dead.settle(finished(claim, ttl=0))
    store.enqueue([job])
    worker.commands.run_once()
    assert queued(store) == [job.id]
    worker.hear(command="stop-job", job_id=job.id)
    worker.commands.run_once()
    assert store.status(job.id) is Status.CANCELED


def test_a_command_waits_for_a_server_that_is_away(
    worker: Worker, store: Store, server: Server
) -> None:
    store.enqueue([record()])
    claim = worker.turns.one()
    worker.hear(command="stop-job", job_id=claim.job_id)
    server.stop()
    with pytest.raises(errors.ServerUnreachable):
        worker.commands.run_once()
    server.start()
    worker.commands.run_once()
    # A test's server keeps nothing: the job is gone, and nothing of it came back.
    assert store.status(claim.job_id) in (None, Status.STOPPED)
    worker.commands.run_once()
