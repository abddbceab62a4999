"""A process of a worker: a pool, and the fetcher that feeds it."""

from __future__ import annotations

import ctypes
import gc
import os
import random
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from flow.running import Host, execution, hosted_by
from flow.signals import STOP
from flow.store import current, rqcurrent
from flow.store.client import Store
from flow.store.persistence import Persistence
from flow.workers import callbacks
from flow.workers.fetcher import Fetcher
from flow.workers.pool import Pool

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from flow.config import WorkerConfig
    from flow.store.address import Address
    from flow.workers.board import Board, Part

PR_SET_PDEATHSIG = 1
CRASHED = 70  # the exit code of a process whose fetcher failed
LATELY = 5.0  # seconds for the supervisor to follow a signal to every process


@dataclass(frozen=True, slots=True)
class Seat:
    """What a process is given by its supervisor.

    Args:
        process: its name in execution ids.
        worker: the worker's name.
        config: what the worker was told.
        address: the server.
        board: the shared memory.
        part: its own part of it.
        bell: becomes readable when there may be work.
        asks: where it asks for the processes of isolated jobs.
        parent: the supervisor's process id.
    """

    process: str
    worker: str
    config: WorkerConfig
    address: Address
    board: Board
    part: Part
    bell: int
    asks: socket.socket
    parent: int


def nothing() -> None:
    """Prepare nothing: a fork has it all."""


def main(seat: Seat, prepare: Callable[[], None] = nothing) -> NoReturn:
    """Be a process of a worker, until it stops; called right after its birth.

    Args:
        seat: what the supervisor gives it.
        prepare: loads the app, where it is not there by a fork.
    """
    try:
        tie_to(seat.parent)
        told = take_signals()
        prepare()
        _work(seat, told)
    except BaseException:  # noqa: BLE001 - nothing may return into the supervisor's code
        traceback.print_exc()
        leave(CRASHED)
    leave(0)


def leave(code: int) -> NoReturn:
    """End this process, and run nothing that was registered for its exit."""
    # Not sys.exit: what the supervisor registered to run at its exit is not ours.
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)  # also when nobody reads any more what the flush would write


def tie_to(parent: int) -> None:
    """Have the kernel end this process with its supervisor, and lead a group."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it died before the kernel knew


class Told:
    """When this process itself was last signalled to stop.

    Heroku and terminals signal every process, the programs that jobs start too. Whether
    to stop is for the supervisor to decide; but a job whose program has just died of
    the signal was interrupted, also when the supervisor has not got round to it yet.
    """

    def __init__(self) -> None:
        """Start unsignalled."""
        self._at = float("-inf")

    def note(self, _signal: int, _frame: FrameType | None) -> None:
        """Be the handler of a signal."""
        self._at = time.monotonic()

    @property
    def lately(self) -> bool:
        """Whether it was just now; the supervisor has followed, or never will."""
        return time.monotonic() - self._at < LATELY


def take_signals() -> Told:
    """Leave what asks a worker to stop to the supervisor."""
    told = Told()
    # Handlers rather than SIG_IGN, which the programs that jobs start would inherit.
    for number in STOP:
        signal.signal(number, told.note)
    # What asks a worker to be quiet must not freeze one of its processes.
    signal.signal(signal.SIGTSTP, _pass_over)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    # A process that was spawned begins with these held back.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOP, signal.SIGTSTP))
    # What jobs fork (multiprocessing) must end by SIGTERM, as programs do; also by one
    # that comes before it could say so.
    os.register_at_fork(
        before=lambda: _mask(signal.SIG_BLOCK),
        after_in_parent=lambda: _mask(signal.SIG_UNBLOCK),
        after_in_child=_take_none,
    )
    return told


def _pass_over(_signal: int, _frame: FrameType | None) -> None:
    """Do nothing: the supervisor decides."""


def _mask(how: int) -> None:
    signal.pthread_sigmask(how, STOP)


def _take_none() -> None:
    for number in STOP:
        signal.signal(number, signal.SIG_DFL)
    _mask(signal.SIG_UNBLOCK)


def _work(seat: Seat, told: Told) -> None:
    random.seed()  # forked siblings would draw the same numbers
    gc.enable()
    current.use(Store(seat.address))  # for what jobs enqueue
    store = Store(seat.address, patience=Persistence(seat.address))
    board = seat.board
    fetcher = Fetcher(store, seat, lambda: told.lately)
    config = seat.config
    callbacks.set_up(strict=config.strict)
    host = Host(lambda: board.stopping or told.lately, board.ends)
    hosted_by(host)
    rqcurrent.serve(execution)
    pool = Pool(config.threads, config.concurrency, seat.part, fetcher, host.stopping)
    _take_stops(pool, seat.part)
    callbacks.use_limits(seat.part.allow)
    threading.Thread(
        target=_fetch, args=(fetcher, pool), name="flow-fetcher", daemon=True
    ).start()
    pool.run_main()


def _take_stops(pool: Pool, part: Part) -> None:
    # SIGURG: nobody misses it, and without a handler it does nothing.
    signal.signal(signal.SIGURG, lambda _number, _frame: pool.stop(part.unwanted()))


def _fetch(fetcher: Fetcher, pool: Pool) -> None:
    try:
        fetcher.run(pool)
    except BaseException:  # noqa: BLE001 - a process that cannot fetch must not linger
        traceback.print_exc()
        leave(CRASHED)
    pool.close()
