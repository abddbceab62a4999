"""Starts a server and its guard, and waits until it answers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from flow.errors import ServerNotStarted
from flow.store.embedded import address, locks
from flow.store.embedded.descriptors import lift
from flow.store.embedded.greeting import Greeting, greet
from flow.store.embedded.program import binary

if TYPE_CHECKING:
    from flow.store.embedded.folder import Folder
    from flow.store.embedded.patience import Patience

GUARD = Path(__file__).with_name("guard.py")
TAIL = 3  # lines of the server's log that an error shows
STAMP = re.compile(r"^\d+:\w \d+ \w+ \d+ [\d:.]+ \S ")


def launch(folder: Folder, server_lock: int, patience: Patience) -> None:
    """Start the project's server.

    Args:
        folder: where.
        server_lock: the held lock; the caller closes it when this returns.
        patience: for how long the server may be silent.

    Raises:
        ServerNotStarted: it ended at once, or was silent for too long.
        NoServer: there is no server program.
    """
    command = _command(folder)
    if folder.log.exists():
        folder.log.replace(folder.log.with_suffix(".log.1"))
    report, guards_end = os.pipe()
    try:
        _spawn_guard(folder, (server_lock, guards_end), command, patience)
        _await_answer(folder, report, patience)
    finally:
        os.close(report)


def _command(folder: Folder) -> list[str]:
    options = {
        "port": "0",
        "protected-mode": "yes",
        "unixsocket": str(address.choose(folder)),
        "unixsocketperm": "600",
        "dir": str(folder.data),
        "logfile": str(folder.log),
        "daemonize": "no",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        # Queues must never be evicted; small streams and hashes must stay small.
        "maxmemory-policy": "noeviction",
        "stream-node-max-bytes": "128",
        "hash-max-listpack-value": "512",
    }
    pairs = [(f"--{name}", value) for name, value in options.items()]
    return [str(binary()), *(word for pair in pairs for word in pair)]


def _spawn_guard(
    folder: Folder, given: tuple[int, int], command: list[str], patience: Patience
) -> None:
    server_lock, report = given
    with ExitStack() as stack:

        def ours(descriptor: int) -> int:
            lifted = lift(descriptor)
            stack.callback(os.close, lifted)
            return lifted

        guards_end = ours(report)
        log = ours(os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        users = ours(os.open(folder.users_lock, os.O_RDWR))
        guard_lock = ours(_guard_lock(folder, patience))
        numbers = (users, server_lock, guard_lock, guards_end)
        # Isolated and without site-packages: it starts in a fraction of the time.
        subprocess.run(  # noqa: S603 - our own program, with our own arguments
            [sys.executable, "-I", "-S", GUARD, *map(str, numbers), *command],
            check=False,  # a guard that fails is seen by the end of its report
            pass_fds=numbers,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            umask=0o077,
            start_new_session=True,
        )


def _guard_lock(folder: Folder, patience: Patience) -> int:
    # A new file for each guard: one that was stopped by a signal and has lost its
    # server may still hold the one before.
    folder.guard_lock.unlink(missing_ok=True)
    while (lock := locks.take(folder.guard_lock, locks.Kind.EXCLUSIVE)) is None:
        patience.pause()  # somebody looks at it, for microseconds
    return lock


def _await_answer(folder: Folder, report: int, patience: Patience) -> None:
    os.set_blocking(report, False)
    while (greeting := greet(folder)) is not Greeting.READY:
        if greeting is Greeting.LOADING:
            patience.renew()
        if _is_closed(report):
            raise ServerNotStarted(
                f"the server in {folder.state} ended as it started; "
                f"{_last_words(folder)}"
            )
        if patience.is_over():
            raise ServerNotStarted(
                f"the server in {folder.state} did not answer within "
                f"{patience.seconds:g} s; {_last_words(folder)}"
            )
        patience.pause()


def _is_closed(report: int) -> bool:
    try:
        return os.read(report, 1) == b""
    except BlockingIOError:
        return False


def _last_words(folder: Folder) -> str:
    lines = folder.log.read_text("utf-8", "replace").splitlines()
    said = [STAMP.sub("", line).strip() for line in lines if line.strip()]
    return f"{folder.log} ends with: {' / '.join(said[-TAIL:]) or 'nothing'}"
