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
    from flow.workers.outofmemory import Killer
    from flow.workers.verdict import Verdict

# What a signal to the dead raises; on macOS the second one, for a group of theirs.
GONE = (ProcessLookupError, PermissionError)
ALPHABET = string.ascii_letters + string.digits


def new_name() -> str:
    """Return twelve random characters: the process's name in execution ids."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))


@dataclass(slots=True)
class Process:
    """One child, from fork to reaping.

    Args:
        seat: its number in the worker; its successor's too.
        place: the number of its part of the board.
        part: what it shows.
        bell: write here to wake it.
        pid: the child's process id.
        born: monotonic seconds.
        name: its name in execution ids.
        before: jobs that its part had counted when it was born.
        weight: bytes of memory, when last measured.
        announced: whether its retirement was told.
        relieved: whether it has a successor already.
        verdicts: the executions for whose end it was killed, and why.
    """

    seat: int
    place: int
    part: Part
    bell: int
    pid: int
    born: float
    name: str = field(default_factory=new_name)
    before: int = 0
    weight: int = 0
    announced: bool = False
    relieved: bool = False
    verdicts: dict[int, Verdict] = field(default_factory=dict[int, "Verdict"])

    @property
    def jobs(self) -> int:
        """How many jobs it has run to their end."""
        done, failed, _ = self.part.counts()
        return done + failed - self.before

    def ring(self) -> None:
        """Tell it that there may be work, or that the worker stops."""
        # It has bells enough, or it is gone.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self.bell, b".")

    def kill_group(self) -> None:
        """End what its jobs started; it may be reaped, and its number another's."""
        # It may lead no group yet, or all of it may be gone.
        with contextlib.suppress(*GONE):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it, which is not reaped yet, and all that its jobs started."""
        self.kill_group()
        with contextlib.suppress(*GONE):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Give its bell back."""
        os.close(self.bell)


def how(status: int, killer: Killer) -> str:
    """Return how a process ended, in words.

    Args:
        status: its wait status.
        killer: knows whether the kernel killed for want of memory.
    """
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    hint = f" ({killer.says()})" if -code == signal.SIGKILL else ""
    return f"signal {-code}, {_name(-code)}{hint}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a real-time signal"
