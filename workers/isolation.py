"""Isolation: a job of ``@task(isolate=True)`` runs in a process of its own.

This is the side of the process that claimed the job. The supervisor forks the other
one: it alone has a single thread, and the app as it was when it was loaded.
"""

from __future__ import annotations

import array
import contextlib
import os
import pickle
import selectors
import socket
import struct
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from flow import events
from flow.errors import SoftTimeout
from flow.log import emit
from flow.outcome import Outcome
from flow.store.client import Held
from flow.workers import executor, timeout
from flow.workers.board import number
from flow.workers.nursery import ASK, DIED, OVERDUE, UNBORN

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store
    from flow.workers.child import Seat
    from flow.workers.resolve import Work

LENGTH = struct.Struct("=Q")
WISH = LENGTH.pack(0)  # it says, before its outcome, that it may take longer now
CHUNK = 65536  # bytes read at a time
GLANCE = 0.5  # seconds
LATER = 1.0  # seconds before a job goes back for which no process could be forked


class Apart:
    """Has jobs run in processes of their own, and waits for what comes of them.

    Args:
        store: where those go back whose process died.
        seat: what this process was given by its supervisor.
        lock: held while the store is used.
    """

    def __init__(self, store: Store, seat: Seat, lock: threading.RLock) -> None:
        """Ask for nothing yet."""
        self._store = store
        self._seat = seat
        self._lock = lock

    def run(self, work: Work) -> Outcome | None:
        """Run a job, in any thread.

        Returns:
            Its outcome; None when its process died and the job was put back.
        """
        started = time.time()
        ours, theirs = socket.socketpair()
        verdict, teller = os.pipe()
        with ours, open(verdict, "rb", buffering=0) as pipe:  # noqa: PTH123 - a descriptor
            try:
                with theirs:
                    self._ask(work, work.claim.timeout, theirs.fileno(), teller)
            finally:
                os.close(teller)
            try:
                # As a call that may be stopped; its timeout is the other process's.
                lift = partial(self._ask, work, -1.0)
                waits = (work, ours, pipe.fileno(), lift)
                ended: tuple[Outcome | None, bytes]
                ended = timeout.call(-1.0, _follow, waits, {})
            except BaseException as error:  # noqa: BLE001 - whatever interrupts this job
                self._ask(work, 0.0)
                while pipe.read(CHUNK):
                    pass
                span = (started, time.time())
                stopping = self._seat.board.stopping
                return executor.failure(work, error, span, stopping=stopping)
        left, told = ended
        if left is not None:
            return replace(left, claim=work.claim)
        return self._died(work, told, (started, time.time()))

    def _ask(self, work: Work, seconds: float, *descriptors: int) -> None:
        message = ASK.pack(os.getpid(), number(work.claim.execution), seconds)
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        self._seat.asks.sendmsg([message], extra if descriptors else [])

    def _died(
        self, work: Work, told: bytes, span: tuple[float, float]
    ) -> Outcome | None:
        claim, stopping = work.claim, self._seat.board.stopping
        if not told:
            os._exit(1)  # the pipe's other end is gone, so the supervisor is
        if told.startswith(OVERDUE):
            text = f"{timeout.text(claim.timeout)}, and its process was killed"
            return executor.failure(work, SoftTimeout(text), span, stopping=stopping)
        words = told.removeprefix(DIED).decode()
        what = "stopped" if stopping else "crashed"
        if told.startswith(UNBORN):
            threading.Event().wait(LATER)
            words, what = told.removeprefix(UNBORN).decode(), "claimed"
        emit(events.IsolatedDied(claim.job_id, work.name, words))
        text = f"flow.errors.ProcessLost: the job's process died: {words}"
        if stopping:
            text = executor.INTERRUPTED
        held = Held(claim.queue, claim.job_id, claim.execution)
        with self._lock:
            back, dead = self._store.recover(
                [(held, what)], worker=self._seat.worker, text=text
            )
        emit(events.JobsRecovered(self._seat.process, back, dead))
        return None


def _follow(
    work: Work, channel: socket.socket, verdict: int, lift: Callable[[], None]
) -> tuple[Outcome | None, bytes]:
    """Send a job and wait until its process has ended; ``lift`` its limit if it wishes.

    Returns:
        The outcome if it left one, and what the supervisor said.
    """
    job = pickle.dumps(work.claim)
    # It may die before it has read all.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        channel.sendall(LENGTH.pack(len(job)) + job)
    left, told = bytearray(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        selector.register(verdict, selectors.EVENT_READ)
        ended = False
        while not ended:
            # Not for ever: what interrupts a thread comes between two of these.
            for key, _ in selector.select(GLANCE):
                if key.fd == verdict:
                    told, ended = os.read(verdict, CHUNK), True
                elif not _read(channel, left):
                    selector.unregister(channel)
                elif _wishes(left):
                    lift()
    # It is dead: what it left is there, or will never come.
    while _read(channel, left):
        pass
    _wishes(left)
    return _unpacked(left), told


def _read(channel: socket.socket, into: bytearray) -> bool:
    try:
        chunk = channel.recv(CHUNK, socket.MSG_DONTWAIT)
    except (BlockingIOError, ConnectionResetError):
        return False
    into += chunk
    return bool(chunk)


def _wishes(left: bytearray) -> bool:
    """Take out the wishes for more time, and say whether there was one."""
    before = len(left)
    while left.startswith(WISH):
        del left[: len(WISH)]
    return len(left) < before


def _unpacked(left: bytearray) -> Outcome | None:
    body = memoryview(left)[LENGTH.size :]
    if len(left) < LENGTH.size or LENGTH.unpack_from(left)[0] != len(body):
        return None  # it died before it had written all of it
    outcome: Any = pickle.loads(body)  # noqa: S301 - our own child wrote it
    return outcome if isinstance(outcome, Outcome) else None
