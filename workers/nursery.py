"""Nursery: where the supervisor brings up the processes of isolated jobs.

A process of the worker asks for one, and hands over two descriptors: a channel, on
which the new process finds its job and leaves the outcome, and a pipe, in which the
supervisor says how that process ended. It says so when the process is reaped and its
programs are killed: a job is never settled while it may still run.
"""

from __future__ import annotations

import array
import contextlib
import os
import signal
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.workers.process import GONE, how

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from flow.workers.outofmemory import Killer

ASK = struct.Struct("=QQd")  # the asking process, its execution, seconds it may take
DIED, OVERDUE, UNBORN = b"died ", b"overdue ", b"unborn "  # what a verdict begins with


@dataclass(slots=True)
class Ask:
    """What a process of the worker asks for.

    Args:
        owner: its process id.
        execution: the number of its execution.
        seconds: what it may take; below 0 there is no limit.
        descriptors: the channel and the pipe; none where its process is there already,
            which is to end at once (0 seconds), or may go on.
    """

    owner: int
    execution: int
    seconds: float
    descriptors: list[int]

    def close(self) -> None:
        """Give the descriptors back."""
        for descriptor in self.descriptors:
            os.close(descriptor)


@dataclass(slots=True)
class Isolated:
    """A process of an isolated job.

    Args:
        owner: the process that asked for it.
        execution: the number of its execution there.
        verdict: where to say how it ended.
        deadline: monotonic seconds after which it is killed.
        overdue: whether it was.
    """

    owner: int
    execution: int
    verdict: int
    deadline: float
    overdue: bool = False


class Nursery:
    """The isolated jobs of one worker, as its supervisor sees them.

    Args:
        killer: knows whether the kernel killed for want of memory.
        patience: seconds beyond its timeout after which a process is killed.
        monotonic: the clock of deadlines.
    """

    def __init__(
        self,
        killer: Killer,
        patience: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have no process yet."""
        self.killer = killer
        self._patience = patience
        self._monotonic = monotonic
        self._heard, self.asks = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        os.set_blocking(self._heard.fileno(), False)
        self._isolated: dict[int, Isolated] = {}

    @property
    def pids(self) -> Collection[int]:
        """The processes of isolated jobs."""
        return self._isolated

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._heard.fileno()

    def asked(self) -> Iterator[Ask]:
        """Give what was asked for since the last time."""
        room = socket.CMSG_SPACE(2 * array.array("i").itemsize)
        while True:
            try:
                message, extra, flags, _ = self._heard.recvmsg(ASK.size, room)
            except BlockingIOError:
                return
            found = array.array("i")
            for _, _, data in extra:
                found.frombytes(data)
            for descriptor in found:
                os.set_inheritable(descriptor, False)  # noqa: FBT003 - Python's signature
            if flags & socket.MSG_CTRUNC:
                # No descriptor is left for what came: the asker finds its pipe closed.
                for descriptor in found:
                    os.close(descriptor)
                continue
            owner, execution, seconds = ASK.unpack(message)
            ask = Ask(owner, execution, seconds, list(found))
            if ask.descriptors:
                yield ask
            else:
                self._limit(ask)

    def born(self, pid: int, ask: Ask) -> None:
        """Look after a process that was forked for ``ask``."""
        channel, verdict = ask.descriptors
        os.close(channel)
        limit = ask.seconds + self._patience if ask.seconds >= 0 else float("inf")
        deadline = self._monotonic() + limit
        self._isolated[pid] = Isolated(ask.owner, ask.execution, verdict, deadline)

    def unborn(self, ask: Ask, why: str) -> None:
        """Say that no process could be forked."""
        _tell(ask.descriptors[1], UNBORN + why.encode())
        ask.close()

    def wait(self) -> float:
        """Return the seconds until a process has to be killed."""
        deadlines = [one.deadline for one in self._isolated.values()]
        return min(deadlines, default=float("inf")) - self._monotonic()

    def kill_overdue(self) -> None:
        """End what runs beyond its time and does not mind the timeout."""
        now = self._monotonic()
        for pid, one in self._isolated.items():
            if one.deadline <= now:
                one.overdue, one.deadline = True, float("inf")
                kill(pid)

    def kill_of(self, owner: int) -> None:
        """End the jobs of a process that died: they will run elsewhere."""
        for pid, one in self._isolated.items():
            if one.owner == owner:
                kill(pid)

    def kill_all(self) -> None:
        """End every isolated job."""
        for pid in self._isolated:
            kill(pid)

    def has(self, owner: int) -> bool:
        """Return whether a job of that process may still run."""
        return any(one.owner == owner for one in self._isolated.values())

    def reap(self) -> None:
        """Look which processes have ended, and tell who asked for them."""
        for pid in list(self._isolated):
            try:
                reaped, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                reaped, status = pid, 0
            if reaped:
                self._ended(pid, self._isolated.pop(pid), status)

    def forget(self) -> None:
        """Close what is the supervisor's, after a fork; ``asks`` stays open."""
        self._heard.close()
        for one in self._isolated.values():
            os.close(one.verdict)

    def close(self) -> None:
        """Close everything."""
        self.forget()
        self.asks.close()

    def _ended(self, pid: int, one: Isolated, status: int) -> None:
        with contextlib.suppress(*GONE):
            os.killpg(pid, signal.SIGKILL)  # its programs, which it leaves behind
        kind = OVERDUE if one.overdue else DIED
        _tell(one.verdict, kind + how(status, self.killer).encode())
        os.close(one.verdict)

    def _limit(self, ask: Ask) -> None:
        for pid, one in self._isolated.items():
            if (one.owner, one.execution) == (ask.owner, ask.execution):
                if ask.seconds < 0:
                    one.deadline = float("inf")
                else:
                    kill(pid)


def kill(pid: int) -> None:
    """End a process that is not reaped yet, and its programs."""
    for end in (os.killpg, os.kill):
        # It may lead no group yet.
        with contextlib.suppress(*GONE):
            end(pid, signal.SIGKILL)


def _tell(descriptor: int, verdict: bytes) -> None:
    # Who asked may have died; an empty pipe has room for a sentence.
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, verdict)
