"""The server of a project, as tests see it: real processes, locks and kills."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil
from redis import Redis

from flow.store.embedded import locks
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
TIMEOUT = 60.0  # seconds: only a hang may take so long
USER = """
import signal
import sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
from pathlib import Path
from flow.store import embedded
server = embedded.start(Path(sys.argv[1]), timeout=60)
print(server.pid, server.started, server.url, file=open(sys.argv[2], "w"), flush=True)
signal.sigwait({signal.SIGTERM})
"""


class User:
    """A process that uses the server until it is told to leave."""

    def __init__(self, state: Path, *wrapper: str) -> None:
        descriptor, name = tempfile.mkstemp(prefix="flow-user-")
        os.close(descriptor)
        self.said = Path(name)
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-c", USER, str(state), name],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
        )

    def ready(self) -> Self:
        def has_said() -> bool:
            assert self.process.poll() is None, "the user has ended"
            return self.said.read_text().endswith("\n")

        wait_until(has_said, timeout=TIMEOUT, waiting_for="a user to have joined")
        pid, started, self.url = self.said.read_text().split()
        self.server, self.started = int(pid), started == "True"
        return self

    def leave(self) -> None:
        self.process.terminate()
        self.process.wait(TIMEOUT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT)

    def close(self) -> None:
        self.kill()
        self.said.unlink()


def processes(folder: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if belongs(process, folder)]


def belongs(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        if process.status() != psutil.STATUS_ZOMBIE:
            words = [process.cwd(), *process.cmdline()]
            return any(f"{folder}/" in f"{word}/" for word in words)
    return False


def is_gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def wait_gone(pid: int, who: str = "the server") -> None:
    wait_until(
        lambda: is_gone(pid), timeout=TIMEOUT, waiting_for=f"{who} to have ended"
    )


def guard_of(server: int | None) -> psutil.Process:
    assert server is not None
    guard = psutil.Process(server).parent()
    assert guard is not None
    assert any("guard.py" in word for word in guard.cmdline())
    return guard


def redis(url: str) -> Any:  # noqa: ANN401 - redis-py leaves its own types open
    """Return a client of redis-py, as a user of flow would make it."""
    return Redis.from_url(url, decode_responses=True)  # pyright: ignore[reportUnknownMemberType] - likewise


def put(url: str, key: str, value: str) -> None:
    with redis(url) as client:
        client.set(key, value)


def get(url: str, key: str) -> object:
    with redis(url) as client:
        return client.get(key)


def is_used(state: Path) -> bool:
    """Return whether a user holds the lock, and the guard does not."""
    lock = state / "users.lock"
    descriptor = locks.take(lock, locks.Kind.EXCLUSIVE)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None and not locks.is_held(lock)


def suspend(process: psutil.Process) -> None:
    """Stop a process, and wait until each of its threads stands still."""
    process.suspend()
    wait_until(
        lambda: all(
            psutil.Process(thread.id).status() == psutil.STATUS_STOPPED
            for thread in process.threads()
        ),
        timeout=TIMEOUT,
        waiting_for="a process to stand still",
    )
