"""Spawning: a process of a worker as a fresh interpreter, which loads the app itself.

It is given a letter: a file without a name, in which the supervisor has written what
the process is, and what it would have had from a fork. What both sides share (the
board, sockets, pipes) goes by the numbers of descriptors, which it inherits.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flow import codec, log
from flow.errors import ConfigError
from flow.registry import load_app
from flow.signals import STOP
from flow.store import current
from flow.workers import callbacks, child, isolated, spawned
from flow.workers.board import Board, Part
from flow.workers.unnamed import unnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flow.config import Project

Shared = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a forked process would have from its supervisor.

    Args:
        project: the app.
        level: of the log.
        serializer: what reads and writes jobs; None is pickle.
        handlers: RQ's exception handlers.
        result_ttl: seconds to keep the result of a job that does not say.
    """

    project: Project
    level: str
    serializer: codec.Serializer | None
    handlers: list[Callable[..., object]]
    result_ttl: int

    @classmethod
    def here(cls) -> Scene:
        """Return that of this process."""
        level = logging.getLevelName(log.logger.getEffectiveLevel()).lower()
        told = (codec.used(), callbacks.handlers(), codec.used_result_ttl())
        return cls(current.project(), level, *told)

    def set(self) -> None:
        """Make it that of this process."""
        log.set_up(self.level)
        codec.use(self.serializer)
        callbacks.use_handlers(self.handlers)
        codec.use_result_ttl(self.result_ttl)
        current.use(None, self.project)
        load_app(self.project.app, self.project.root)


class Spawning:
    """Spawns processes."""

    def __init__(self) -> None:
        """Look what processes will be given.

        Raises:
            ConfigError: something of it cannot be given to another process.
        """
        try:
            self._scene = pickle.dumps(Scene.here())
        except Exception as error:
            raise ConfigError(
                f"this worker's processes cannot be spawned: {error}; name importable "
                "functions and classes, or set FLOW_START_METHOD=fork"
            ) from error

    def seat(self, seat: child.Seat, _ringer: int) -> int:
        """Spawn a process that takes jobs."""
        return self._spawn(seat, seat.bell, seat.asks.fileno(), seat.board.descriptor)

    def room(self, room: isolated.Room, _verdict: int) -> int:
        """Spawn a process for one job."""
        return self._spawn(room, room.channel, room.board.descriptor)

    def _spawn(self, what: child.Seat | isolated.Room, *descriptors: int) -> int:
        letter = unnamed()
        try:
            with open(letter, "wb", closefd=False) as file:
                pickle.dump(sys.path, file)
                Packer(file).dump(what)
                file.write(self._scene)
            os.lseek(letter, 0, os.SEEK_SET)
            return _start((letter, *descriptors))
        finally:
            os.close(letter)


def _start(descriptors: Iterable[int]) -> int:
    """Start an interpreter with these descriptors, under their numbers."""
    letter, *_ = given = list(descriptors)
    program = [sys.executable, "-P", str(Path(spawned.__file__)), str(letter)]
    for descriptor in given:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - Python's signature
    try:
        # What asks a worker to stop waits until the process can take it.
        return os.posix_spawn(
            sys.executable,
            program,
            os.environ,
            setpgroup=0,
            setsigmask=[*STOP, signal.SIGTSTP],
        )
    finally:
        for descriptor in given:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - as above


class Packer(pickle.Pickler):
    """Writes what is shared as the numbers of its descriptors."""

    def persistent_id(self, obj: object) -> Shared | None:
        """Return what stands for ``obj``, if it is shared."""
        if isinstance(obj, Board):
            return ("board", obj.descriptor, obj.processes, obj.slots)
        if isinstance(obj, Part):
            return ("part", obj.at)  # of that board, which stands before it
        if isinstance(obj, socket.socket):
            return ("socket", obj.fileno())
        return None


class Unpacker(pickle.Unpickler):
    """Reads what Packer wrote, in the process that inherited the descriptors."""

    def persistent_load(self, pid: Shared) -> Board | Part | socket.socket:
        """Return what that stands for."""
        kind, number, *rest = pid
        if kind == "board":
            self._board = Board(rest[0], rest[1], number)
            return self._board
        if kind == "part":
            return self._board.part_at(number)
        return socket.socket(fileno=number)


def begin(letter: IO[bytes]) -> None:
    """Be what the letter says."""
    what: child.Seat | isolated.Room = Unpacker(letter).load()
    scene: Scene = pickle.load(letter)  # noqa: S301 - our own supervisor wrote it
    if isinstance(what, child.Seat):
        child.main(what, scene.set)
    isolated.main(what, scene.set)
