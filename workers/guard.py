"""Guard: a small process that outlives a killed supervisor, and leaves nothing of it.

The kernel ends the worker's processes with their supervisor, but not the programs that
their jobs have started: those would run on beside the jobs' next run. The guard waits
for the end of a pipe that only the supervisor holds, and then kills their groups.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from typing import TYPE_CHECKING, NoReturn

from flow.signals import STOP

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

NAME = b"flow-guard"  # as ps and top show it; 15 bytes at most
PR_SET_NAME = 15
LEADER = struct.Struct("=i")  # the leader of a group; below 0, one that is gone
MOST = 1 << 20  # descriptors that are looked for; macOS names no limit
CHUNK = LEADER.size * 1024  # bytes read at a time


class Guard:
    """What a supervisor has killed if it is killed itself."""

    def __init__(self) -> None:
        """Guard nothing yet."""
        self._pid, self._writer = 0, -1
        self._leaders: frozenset[int] = frozenset()

    def start(self) -> None:
        """Fork the guard; as early as may be, for then it shares the most memory.

        Raises:
            OSError: the system has no memory or descriptor left.
        """
        reader, self._writer = os.pipe()
        # A guard that somebody stopped must not stop the supervisor.
        os.set_blocking(self._writer, False)
        ready, unready = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _be_guard(reader)
        os.close(reader)
        os.close(unready)
        os.read(ready, 1)  # it ends when the guard has closed what it inherited
        os.close(ready)

    def keep(self, leaders: AbstractSet[int]) -> None:
        """Have just these groups killed if the supervisor is."""
        if leaders == self._leaders:
            return
        changed = [-one for one in self._leaders - leaders]
        changed += leaders - self._leaders
        # Where it was killed, or is stopped, nothing is guarded any more.
        with contextlib.suppress(BrokenPipeError, BlockingIOError):
            os.write(self._writer, b"".join(map(LEADER.pack, changed)))
        self._leaders = frozenset(leaders)

    def forget(self) -> None:
        """Leave it to the supervisor: this process was just forked."""
        os.close(self._writer)

    def close(self) -> None:
        """End the guard: the worker ends, and has ended its processes, or could not."""
        os.close(self._writer)
        os.kill(self._pid, signal.SIGCONT)
        os.waitpid(self._pid, 0)


def _be_guard(reader: int) -> NoReturn:
    try:
        # Neither a signal to the worker's group nor one to all its processes ends it.
        os.setsid()
        for number in (*STOP, signal.SIGTSTP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_NAME, NAME)
        # Whoever reads what the worker says, or serves it, must see its end.
        os.closerange(0, reader)
        os.closerange(reader + 1, min(os.sysconf("SC_OPEN_MAX"), MOST))
        for leader in _left(reader):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(leader, signal.SIGKILL)
    finally:
        os._exit(0)


def _left(reader: int) -> set[int]:
    """Wait for the end of the supervisor; return the groups that it has left."""
    leaders: set[int] = set()
    while told := os.read(reader, CHUNK):
        for (leader,) in LEADER.iter_unpack(told):
            if leader > 0:
                leaders.add(leader)
            else:
                leaders.discard(-leader)
    return leaders
