"""Pool and fetcher together, in this process, against the real server."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flow import keys
from flow.config import WorkerConfig
from flow.store.client import Store
from flow.workers import fetcher
from flow.workers.board import Board, Retirement
from flow.workers.child import Seat
from flow.workers.fetcher import SILENCE, Fetcher
from flow.workers.line import MOST, PATIENT
from flow.workers.nursery import Ask, Nursery
from flow.workers.outbox import AT_ONCE
from flow.workers.outofmemory import Killer
from flow.workers.pool import Pool
from flow.workers.process import new_name
from flow.workers.resolve import resolve
from tests.support import hazards
from tests.support.apps import RQ, Untyped
from tests.support.leaks import places, queued
from tests.support.proxy import proxied
from tests.support.turns import Turns, finished, record
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from tests.support.proxy import Proxy
    from tests.support.server import Server

LONG = 60.0  # seconds a wait may take at most


def beats_for_an_hour(board: Board) -> None:
    """Be a supervisor that beats, however slow this machine is just now."""
    board.beaten(lambda: time.monotonic() + 3600)


class Process:
    """A process of a worker, as two threads of this one."""

    def __init__(
        self,
        store: Store,
        *,
        burst: bool = True,
        threads: int = 2,
        asks: socket.socket | None = None,
    ) -> None:
        self.bell, self.ringer = os.pipe()
        self.board = Board(1, threads + 10 + MOST)
        beats_for_an_hour(self.board)
        self.part = self.board.part(0)
        config = WorkerConfig(("default",), threads=threads, concurrency=10)
        config = replace(config, burst=burst)
        address = store.link.address
        name = new_name()
        self.turn = keys.turn(name)
        self.asks, self.heard = socket.socketpair()
        of = (self.board, self.part, self.bell, asks or self.asks, os.getpid())
        seat = Seat(name, "w", config, address, *of)
        self.feeder = feeder = Fetcher(store, seat)
        self.pool = Pool(
            threads,
            10,
            self.part,
            feeder,
            lambda: self.board.stopping,
        )
        # Daemons, so that a test that fails does not keep the others from ending.
        self.thread = threading.Thread(
            target=feeder.run, args=(self.pool,), daemon=True
        )

    def stop(self) -> None:
        self.board.stop()
        os.write(self.ringer, b".")
        self.thread.join(LONG)
        self.pool.close()

    def close(self) -> None:
        self.asks.close()
        self.heard.close()
        os.close(self.bell)
        os.close(self.ringer)


@contextlib.contextmanager
def process(
    store: Store,
    *,
    burst: bool = True,
    threads: int = 2,
    asks: socket.socket | None = None,
    stopped: Sequence[int] = (),
) -> Generator[Process]:
    one = Process(store, burst=burst, threads=threads, asks=asks)
    one.part.ask(stopped)
    one.thread.start()
    # In a process of one thread this would be the main thread.
    line = threading.Thread(target=one.pool.run_main, daemon=True)
    line.start()
    try:
        yield one
    finally:
        one.stop()
        line.join(LONG)
        assert not one.thread.is_alive()
        assert not line.is_alive()
        one.close()


def test_a_burst_runs_everything_and_ends(store: Store, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    jobs = hazards.note.enqueue_many([(ledger, n) for n in range(500)])
    with process(store) as one:
        one.thread.join(LONG)
        assert not one.thread.is_alive()
        assert one.part.running() == set()
        assert one.part.counts()[:2] == (500, 0)
    assert {places(store, job.id)[0] for job in jobs} == {"finished"}


def test_a_burst_is_over_when_its_last_job_is_and_not_at_the_next_look(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "EVERY", 3600.0)
    monkeypatch.setattr(fetcher, "LOOK", 3600.0)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job = hazards.hold.enqueue(tmp_path / "ledger", gate)
    with process(store, threads=1) as one:
        wait_until(lambda: one.pool.line.age > PATIENT, waiting_for="a long job")
        gate.write_text("go")
        one.thread.join(LONG)
        assert not one.thread.is_alive()
    assert job.status == "finished"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["note", "anote"])
def test_what_was_stopped_before_it_began_never_begins(
    store: Store, client: Untyped, tmp_path: Path, name: str, threads: int
) -> None:
    hears = RQ.Callback("tests.support.shop.callbacks.stopped")
    queue, ledger = RQ.Queue(connection=client), tmp_path / "ledger"
    function = f"tests.support.hazards.{name}"
    first, next_ = (
        queue.enqueue(function, ledger, word, on_stopped=hears) for word in "ab"
    )
    with process(store, threads=threads, stopped=[1]) as one:
        one.thread.join(LONG)
    assert (first.is_stopped, next_.is_finished) == (True, True)
    assert ledger.read_text().split() == ["b"]
    # Its callback is a job of its own, which this burst has run, too.
    assert client.llen(f"told:{first.id}") == 1


def test_no_outcome_waits_behind_a_job_that_may_be_long(
    store: Store, tmp_path: Path
) -> None:
    gate, ledger = tmp_path / "gate", tmp_path / "ledger"
    turns, one = Turns(store), Process(store, threads=1)
    store.enqueue([record() for _ in range(2 * AT_ONCE + 1)])
    for _ in range(3):
        for claim in turns.take(AT_ONCE):
            one.feeder.finish(resolve(claim), finished(claim))
    job = hazards.hold.enqueue(ledger, gate)
    assert one.pool.take(resolve(turns.one()))
    line = threading.Thread(target=one.pool.run_main, daemon=True)
    line.start()
    wait_until(ledger.exists, timeout=LONG, waiting_for="its start")
    held = [one.job_id for one in store.held(["default"])]
    gate.write_text("go")
    assert job.result(LONG) == "go"
    one.pool.close()
    line.join(LONG)
    one.close()
    assert held == [job.id]


def test_a_bell_brings_what_was_pushed(store: Store, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    with process(store, burst=False) as one:
        for n in range(20):
            job = hazards.note.enqueue(ledger, n)
            os.write(one.ringer, b".")
            assert job.result(LONG) is None


def test_nothing_is_lost_in_a_stop_at_any_instant(store: Store, tmp_path: Path) -> None:
    # A job that ends as the worker stops: its outcome must still be sent.
    ledger = tmp_path / "ledger"
    hazards.note.enqueue_many([(ledger, n) for n in range(400)])
    while queued(store):
        before = _size(ledger)
        with process(store, burst=False):
            _grows(ledger, before, by=1)
        assert store.held(["default"]) == []
    assert sorted(ledger.read_text().split(), key=int) == [str(n) for n in range(400)]


def test_an_outcome_waits_on_the_board_until_it_is_written(
    store: Store, server: Server, tmp_path: Path
) -> None:
    gate, ledger = tmp_path / "gate", tmp_path / "ledger"
    job = hazards.hold.enqueue(ledger, gate)
    with process(store, burst=False) as one:
        wait_until(ledger.exists, waiting_for="its start")
        assert one.part.running() == {1}
        gate.write_text("go")
        assert job.result(LONG) == "go"
        wait_until(lambda: not one.part.running(), waiting_for="its end on the board")
    assert server.answers()


def test_lost_replies_neither_lose_nor_repeat_a_job(
    store: Store, server: Server, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    jobs = hazards.note.enqueue_many([(ledger, n) for n in range(300)])
    with proxied(server.socket, tmp_path / "p") as proxy:
        away = Store(replace(store.link.address, url=proxy.url), _AtOnce())
        with process(away, burst=False) as one:
            for n in range(50):
                proxy.lose("exchange")
                hazards.note.enqueue(ledger, 300 + n)
                os.write(one.ringer, b".")
                _lost(proxy, n + 1)
            wait_until(
                lambda: not queued(store) and not store.held(["default"]),
                timeout=LONG,
                waiting_for="all jobs",
            )
        away.link.close()
    assert sorted(ledger.read_text().split(), key=int) == [str(n) for n in range(350)]
    assert {places(store, job.id)[0] for job in jobs} == {"finished"}


def _size(ledger: Path) -> int:
    return ledger.stat().st_size if ledger.exists() else 0


def _grows(ledger: Path, before: int, *, by: int) -> None:
    wait_until(
        lambda: _size(ledger) >= before + by,
        timeout=LONG,
        every=0.001,
        waiting_for="a job",
    )


def _lost(proxy: Proxy, count: int) -> None:
    wait_until(lambda: proxy.lost >= count, waiting_for="a lost reply")


class _AtOnce:
    """Tries again at once, for ever."""

    def __call__(self, error: Exception, delay: float) -> bool:
        return delay >= 0 and bool(str(error))

    def answered(self) -> None:
        pass


def test_a_process_whose_supervisor_is_silent_takes_nothing_new(
    store: Store, tmp_path: Path
) -> None:
    with process(store, burst=False) as one:
        wait_until(
            lambda: store.link.command("EXISTS", one.turn), waiting_for="its first look"
        )
        now = time.monotonic()
        one.board.beaten(lambda: now - SILENCE - 1)
        job = hazards.note.enqueue(tmp_path / "ledger", 1)
        os.write(one.ringer, b".")
        with pytest.raises(TimeoutError):
            job.result(1.5)
        beats_for_an_hour(one.board)
        assert job.result(LONG) is None


def test_a_process_that_is_to_end_gives_back_in_order_what_it_had_claimed(
    store: Store, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    jobs = hazards.note.enqueue_many([(ledger, n) for n in range(1500)])
    ended = 0
    while len(queued(store)) > 100:
        ended += 1
        before = _size(ledger)
        with process(store, burst=False, threads=1) as one:
            _grows(ledger, before, by=400)
            one.part.retirement = Retirement.MEMORY
            os.write(one.ringer, b".")
            one.thread.join(LONG)  # by itself
            assert not one.thread.is_alive()
        assert store.held(["default"]) == []
    with process(store, threads=1) as one:
        one.thread.join(LONG)
    assert ended > 1
    assert ledger.read_text().split() == [str(n) for n in range(1500)]
    assert {places(store, job.id)[0] for job in jobs} == {"finished"}


def test_a_job_whose_process_cannot_be_forked_goes_back_uncounted(
    store: Store, tmp_path: Path
) -> None:
    nursery = Nursery(Killer(tmp_path), 5.0)
    job = hazards.apart_echo.enqueue(1)
    with process(store, burst=False, threads=1, asks=nursery.asks) as one:
        (ask,) = _asked(nursery)
        nursery.unborn(ask, "no memory")
        (again,) = _asked(nursery)  # it was claimed once more
        assert again.execution > ask.execution
        one.board.stop()
        nursery.unborn(again, "still none")
    assert queued(store) == [job.id]
    assert not store.link.command("HGET", keys.job(job.id), "flow_crashes")
    nursery.close()


def _asked(nursery: Nursery) -> list[Ask]:
    return wait_until(lambda: list(nursery.asked()), timeout=LONG, waiting_for="an ask")
