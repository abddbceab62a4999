"""The guard of a project's server: its parent, and the one who ends it.

Run as a program by launch.py, never imported; it needs nothing but the standard
library. It ends the server when the last user is gone, and itself when the server is.
It lives in a session of its own, so that Ctrl-C in the terminal of its starter does
not reach it: the users may still have to put their jobs back.

On Linux the server gets a SIGTERM when the guard dies, however that happens. macOS
has no such thing: there a guard that is told to stop stops the server, but one that is
killed with SIGKILL leaves it running, until the next start finds it without a guard.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GRACE = 10  # seconds a server may take to end before it is killed
PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def main(users: int, server: int, guard: int, report: int, *command: str) -> None:
    """Run the server until it ends or its last user goes.

    Args:
        users: an open ``users.lock``, not locked.
        server: an open ``server.lock``, held; the server inherits it.
        guard: an open ``guard.lock``, held.
        report: the end of a pipe; its closing tells the starter that all is over.
        command: the server's command line.
    """
    # Twice forked: the starter reaps its child at once and never has a zombie.
    if os.fork():
        os._exit(0)
    for descriptor in (users, guard, report):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no keyword
    # Without a handler, macOS drops this signal even when it is blocked.
    signal.signal(signal.SIGCHLD, nothing)
    # Blocked and fetched by sigwait, no signal can fall between two instructions.
    signal.pthread_sigmask(signal.SIG_SETMASK, {*STOPS, signal.SIGCHLD, signal.SIGALRM})
    child = spawn(command)
    # Kept by the server alone, the lock says exactly whether it lives.
    os.close(server)
    threading.Thread(target=await_last_user, args=(users,), daemon=True).start()
    attend(child, users, guard)


def nothing(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal that sigwait fetches anyway."""


def spawn(command: tuple[str, ...]) -> int:
    """Start the server; return its process id."""
    guard = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        if sys.platform == "linux":
            death = ctypes.c_ulong(signal.SIGTERM)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death)
        # A guard that died before that line cannot be waited for any more.
        if os.getppid() == guard:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(127)


def await_last_user(users: int) -> None:
    """Wait in a thread until nobody holds ``users.lock``, then stop the guard."""
    try:
        # Held until the guard is gone: who comes meanwhile waits for the server's
        # end and then starts another, instead of joining one that goes.
        fcntl.flock(users, fcntl.LOCK_EX)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def attend(child: int, users: int, guard: int) -> None:
    """Wait for the server's end, and bring it about when told to."""
    open_to_users = True
    while True:
        caught = signal.sigwait({*STOPS, signal.SIGCHLD, signal.SIGALRM})
        if caught == signal.SIGCHLD and os.waitpid(child, os.WNOHANG)[0]:
            return
        if caught == signal.SIGALRM:
            os.kill(child, signal.SIGKILL)
        elif caught in STOPS and open_to_users:
            open_to_users = False
            os.close(guard)
            stop(child, users)


def stop(child: int, users: int) -> None:
    """Ask the server to end, and see to it that it does."""
    # An ending server removes its socket. If the project's folder was deleted, a
    # newer server may have its own under that name, and this one nothing to save.
    deleted = os.fstat(users).st_nlink == 0
    os.kill(child, signal.SIGKILL if deleted else signal.SIGTERM)
    signal.alarm(GRACE)


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:5]), *sys.argv[5:])  # type: ignore[arg-type]
