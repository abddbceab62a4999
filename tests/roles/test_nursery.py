"""Nursery: the processes of isolated jobs, as the one who forks them sees them."""

from __future__ import annotations

import array
import contextlib
import os
import resource
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from flow.runner.readable import readable
from flow.workers.nursery import ASK, DIED, OVERDUE, UNBORN, Ask, Nursery
from flow.workers.outofmemory import Killer
from tests.support.faults import gone
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ME = os.getpid()
OVERTIME = 5.0  # seconds that a job may take beyond its own


class Clock:
    """A clock that stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Asker:
    """One who asks for a process, and hears how it ended."""

    def __init__(self, nursery: Nursery, execution: int, seconds: float = -1) -> None:
        self.channel, theirs = socket.socketpair()
        self.verdict, teller = os.pipe()
        passed = array.array("i", [theirs.fileno(), teller])
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)]
        nursery.asks.sendmsg([ASK.pack(ME, execution, seconds)], extra)
        theirs.close()
        os.close(teller)

    def told(self) -> bytes:
        assert readable([self.verdict], timeout=60)
        return os.read(self.verdict, 4096)

    def close(self) -> None:
        self.channel.close()
        os.close(self.verdict)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def nursery(clock: Clock, tmp_path: Path) -> Iterator[Nursery]:
    nursery = Nursery(Killer(tmp_path), OVERTIME, clock)
    yield nursery
    nursery.kill_all()
    wait_until(lambda: _reaped(nursery), waiting_for="the end of all")
    nursery.close()


def _reaped(nursery: Nursery) -> bool:
    nursery.reap()
    return not nursery.has(ME)


def bear(nursery: Nursery, ask: Ask) -> int:
    """Fork a process that only waits."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    nursery.born(pid, ask)
    return pid


def test_the_one_who_asked_is_told_how_it_ended(nursery: Nursery) -> None:
    asker = Asker(nursery, 7)
    (ask,) = nursery.asked()
    assert (ask.owner, ask.execution, ask.seconds) == (ME, 7, -1)
    pid = bear(nursery, ask)
    assert nursery.has(ME)
    nursery.kill_of(ME + 1)  # somebody else's
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: _reaped(nursery), waiting_for="its end")
    assert asker.told() == DIED + b"signal 15, SIGTERM"
    asker.close()


def test_it_is_killed_after_its_time_and_not_before(
    nursery: Nursery, clock: Clock
) -> None:
    asker = Asker(nursery, 1, seconds=10)
    (ask,) = nursery.asked()
    pid = bear(nursery, ask)
    assert nursery.wait() == 10 + OVERTIME
    nursery.kill_overdue()
    assert nursery.has(ME)
    clock.now += 10 + OVERTIME
    nursery.kill_overdue()
    wait_until(lambda: _reaped(nursery), waiting_for="its end")
    assert asker.told().startswith(OVERDUE + b"signal 9")
    gone(pid)
    asker.close()


def test_what_was_given_all_the_time_it_wants_is_not_killed(
    nursery: Nursery, clock: Clock
) -> None:
    asker = Asker(nursery, 1, seconds=10)
    (ask,) = nursery.asked()
    bear(nursery, ask)
    nursery.asks.send(ASK.pack(ME, 1, -1))
    assert list(nursery.asked()) == []
    clock.now += 10 + OVERTIME
    nursery.kill_overdue()
    assert nursery.wait() == float("inf")
    assert nursery.has(ME)
    asker.close()


def test_it_ends_when_the_one_who_asked_says_so(nursery: Nursery) -> None:
    meant, other = Asker(nursery, 1), Asker(nursery, 2)
    for ask in nursery.asked():
        bear(nursery, ask)
    nursery.asks.send(ASK.pack(ME, 1, 0))
    assert list(nursery.asked()) == []
    assert meant_ended(nursery, meant)
    assert nursery.has(ME)
    meant.close()
    other.close()


def meant_ended(nursery: Nursery, asker: Asker) -> bool:
    def ended() -> bool:
        nursery.reap()
        return bool(readable([asker.verdict], timeout=0))

    wait_until(ended, waiting_for="its end")
    return asker.told().startswith(DIED)


def test_that_no_process_could_be_forked_is_told(nursery: Nursery) -> None:
    asker = Asker(nursery, 1)
    (ask,) = nursery.asked()
    nursery.unborn(ask, "Cannot allocate memory")
    assert asker.told() == UNBORN + b"Cannot allocate memory"
    assert asker.channel.recv(1) == b""  # and nobody holds the other end
    asker.close()


def test_one_who_has_died_is_not_missed(nursery: Nursery) -> None:
    Asker(nursery, 1).close()
    (ask,) = nursery.asked()
    os.kill(bear(nursery, ask), signal.SIGKILL)
    wait_until(lambda: _reaped(nursery), waiting_for="its end")


def test_one_who_asks_while_no_descriptor_is_left_hears_that(nursery: Nursery) -> None:
    asker = Asker(nursery, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spent = [os.open(os.devnull, os.O_RDONLY)]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (spent[0] + 20, hard))
        with contextlib.suppress(OSError):  # too many open files
            while True:
                spent.append(os.dup(spent[0]))
        # One is left, where two are handed over.
        os.close(spent.pop())
        assert list(nursery.asked()) == []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in spent:
            os.close(descriptor)
    assert asker.told() == b""
    asker.close()
