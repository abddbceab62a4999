"""Splits flow in two, so that SIGKILL of either half leaves no process behind.

The half that was started becomes the guard: a small program that passes signals on
and waits. The other half runs the session. Each can clean up after the other:

- the session is killed: all that it had started becomes the guard's, by adoption
  (Linux), and the guard kills it and ends as the session did;
- the guard is killed: the session reads the end of the lifeline, kills all it has
  started and ends.

The guard runs under a command line of its own, and the session in a process group of
its own, so that neither ``pkill -9 -f "flow start"`` nor ``kill -9 %1`` hits both.
Where there is no adoption (macOS) the first case leaves the session's processes
running; the second, which is a kill of the pid that a shell shows, leaves none.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from flow.runner.processes import descendants

WATCHED = frozenset(
    (
        *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
        # A Ctrl-Z would freeze both halves, and what they run with the next full pipe.
        *(signal.SIGTSTP, signal.SIGCHLD),
    )
)
PRESS = b"^"  # one Ctrl-C, on the lifeline
# The folder of flow comes last: in it may be packages named like Python's own.
PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1));"
    " from flow.runner.processes.guard import main; main()"
)
SWEEP = 5.0  # seconds to try for; what cannot be killed (a dead disk) is left


def split() -> int:
    """Go on in a child, and let this process become its guard.

    Call it before there are threads. The watched signals stay blocked until
    ``Signals`` is entered, so none is lost between the two.

    Returns:
        the lifeline: it brings a byte for each Ctrl-C, and ends with the guard.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    descendants.adopt_orphans()
    # An embedded server may be among these; it has users besides this session.
    spared = [row.pid for row in descendants.children(os.getpid())]
    lifeline, writer = os.pipe()
    if session := os.fork():
        _become_guard(session, writer, spared)
    os.close(writer)
    os.setsid()
    descendants.wake_when_parent_ends()  # a stopped session could clean up nothing
    return lifeline


def _become_guard(session: int, writer: int, spared: list[int]) -> NoReturn:
    os.set_inheritable(writer, True)  # noqa: FBT003 - the os module's own signature
    # -S and -P: neither the packages nor the folder here, which could break it.
    command = [
        sys.executable,
        "-S",
        "-P",
        "-c",
        PROGRAM,
        str(Path(__file__).parents[3]),
    ]
    numbers = [str(number) for number in (session, writer, *spared)]
    # Without its own program the guard still does its work, as a copy of this one.
    with contextlib.suppress(OSError):
        os.execv(sys.executable, [*command, *numbers])  # noqa: S606 - no shell wanted
    os._exit(watch(session, writer, frozenset(spared)))


def watch(session: int, lifeline: int, spared: frozenset[int]) -> int:
    """Pass signals on until the session has ended; then leave nothing of it.

    Args:
        session: the pid of the other half.
        lifeline: where each Ctrl-C is told.
        spared: children of this process that the session did not start.

    Returns:
        the session's exit code, 128 + signal included.
    """
    # Without a handler macOS drops this signal instead of keeping it for sigwait.
    signal.signal(signal.SIGCHLD, _keep)
    while (code := _reap(session)) is None:
        number = signal.sigwait(WATCHED)
        if number == signal.SIGINT:
            # A terminal sends it to this half only, systemd to both; the session
            # counts both ways, so it must not be told by a signal.
            with contextlib.suppress(BrokenPipeError):
                os.write(lifeline, PRESS)
        elif number != signal.SIGCHLD:
            descendants.send(session, number)
    _sweep(spared)
    return code


def _keep(*_: object) -> None:
    """Do nothing: the signal is read by sigwait."""


def _reap(session: int) -> int | None:
    code = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == session:
                status = os.waitstatus_to_exitcode(ended[1])
                code = status if status >= 0 else 128 - status
    return code


def _sweep(spared: frozenset[int]) -> None:
    deadline = time.monotonic() + SWEEP
    while descendants.kill_all(os.getpid(), spared) and time.monotonic() < deadline:
        signal.sigtimedwait((signal.SIGCHLD,), 0.05)
        _reap(0)


def main() -> NoReturn:
    """Be the guard, with the arguments SESSION LIFELINE [SPARED ...]."""
    session, lifeline, *spared = (int(text) for text in sys.argv[1:])
    sys.exit(watch(session, lifeline, frozenset(spared)))
