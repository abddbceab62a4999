"""A process of one isolated job: forked for it by the supervisor, and gone with it."""

from __future__ import annotations

import gc
import pickle
import random
import socket
import time
import traceback
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from flow.running import Host, execution, hosted_by
from flow.store import current, rqcurrent
from flow.store.client import Store
from flow.workers import callbacks, child, executor
from flow.workers.isolation import LENGTH, WISH
from flow.workers.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.config import WorkerConfig
    from flow.outcome import Outcome
    from flow.record import Claim
    from flow.store.address import Address
    from flow.workers.board import Board


@dataclass(frozen=True, slots=True)
class Room:
    """What an isolated job's process is given.

    Args:
        config: what the worker was told.
        address: the server, for what the job enqueues.
        board: where it sees that the worker stops.
        channel: the descriptor on which it finds the job and leaves the outcome.
        parent: the supervisor's process id.
    """

    config: WorkerConfig
    address: Address
    board: Board
    channel: int
    parent: int


def main(room: Room, prepare: Callable[[], None] = child.nothing) -> NoReturn:
    """Run the job and end; called right after its birth.

    Args:
        room: what the supervisor gives it.
        prepare: loads the app, where it is not there by a fork.
    """
    try:
        child.tie_to(room.parent)
        told = child.take_signals()
        prepare()
        with socket.socket(fileno=room.channel) as channel:
            outcome = _run(room, told, channel)
            body = pickle.dumps(outcome)
            channel.sendall(LENGTH.pack(len(body)) + body)
    except BaseException:  # noqa: BLE001 - nothing may return into the supervisor's code
        traceback.print_exc()
        child.leave(child.CRASHED)
    child.leave(0)


def _claim(channel: socket.socket) -> Claim:
    with channel.makefile("rb") as incoming:
        (length,) = LENGTH.unpack(incoming.read(LENGTH.size))
        claim: Any = pickle.loads(incoming.read(length))  # noqa: S301 - the worker's own process wrote it
    found: Claim = claim
    return found


def _wish(channel: socket.socket, _execution: int, _seconds: float) -> None:
    channel.sendall(WISH)


def _run(room: Room, told: child.Told, channel: socket.socket) -> Outcome:
    claim = _claim(channel)
    random.seed()  # the next one, forked likewise, would draw the same numbers
    gc.enable()
    current.use(Store(room.address))
    config, board = room.config, room.board
    callbacks.set_up(strict=config.strict)
    callbacks.use_limits(partial(_wish, channel))
    host = Host(lambda: board.stopping or told.lately, board.ends)
    hosted_by(host)
    rqcurrent.serve(execution)
    try:
        work = resolve(claim, strict=config.strict, on_crash=config.on_crash)
    except BaseException as error:  # noqa: BLE001 - it imports the app's modules
        outcome = executor.unresolved(claim, error, time.time())
    else:
        outcome = executor.execute(work, time.time, host.stopping)
    # Who asked has the rest of the claim, which may be large.
    return replace(outcome, claim=replace(claim, data=None))
