"""A process of a worker, as its supervisor sees it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow.workers.board import Part

ALPHABET = string.ascii_letters + string.digits


def new_name() -> str:
    """Return twelve random characters: the process's name in execution ids."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))


@dataclass(slots=True)
class Process:
    """One child, from fork to reaping.

    Args:
        index: its number in the worker, and its part of the board.
        part: what it shows.
        bell: write here to wake it.
        pid: the child's process id.
        born: monotonic seconds.
        name: its name in execution ids.
    """

    index: int
    part: Part
    bell: int
    pid: int
    born: float
    name: str = field(default_factory=new_name)

    def ring(self) -> None:
        """Tell it that there may be work, or that the worker stops."""
        # It has bells enough, or it is gone.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self.bell, b".")

    def kill_group(self) -> None:
        """End what its jobs started; it may be reaped, and its number another's."""
        # It may lead no group yet, or all of it may be gone.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it, which is not reaped yet, and all that its jobs started."""
        self.kill_group()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Give its bell back."""
        os.close(self.bell)


def how(status: int) -> str:
    """Return how a process ended, from its wait status, in words."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"signal {-code}, {name}{hint}"
