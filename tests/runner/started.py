"""A flow command that runs in a test, and everything that comes from it."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import IO, Self

import psutil

from flow.runner.readable import readable
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from flow.cli import main; main()"]
UNSET = ("PORT", "REDIS_URL", "NO_COLOR", "FORCE_COLOR", "FLOW_APP", "FLOW_GRACE")
MARK = "FLOW_TEST_MARK"
NAP = "NAP"  # a number of seconds to sleep, which no other test sleeps
# Opening a terminal makes it the controlling one of a new session.
WITH_TERMINAL = (
    "import os, sys; os.open(os.ttyname(0), 2); os.execv(sys.argv[1], sys.argv[1:])"
)


def environment(**more: str) -> dict[str, str]:
    """Return this environment without what would change flow's behaviour."""
    kept = {name: text for name, text in os.environ.items() if name not in UNSET}
    return {**kept, **more}


class Started:
    """A flow command, its output read all the time by a thread."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        before: tuple[str, ...] = (),
        stdout: int | IO[bytes] = subprocess.PIPE,
        environ: dict[str, str] | None = None,
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.nap = str(uuid.uuid4().int % 10**9)
        self.process = subprocess.Popen(
            [*before, *PROGRAM, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=self._environ(environ),
        )
        self._chunks: list[bytes] = []
        self._errors: list[bytes] = []
        self._readers = [
            threading.Thread(target=_read, args=(stream, into))
            for stream, into in (
                (self.process.stdout, self._chunks),
                (self.process.stderr, self._errors),
            )
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    @property
    def output(self) -> bytes:
        return b"".join(self._chunks)

    @property
    def errors(self) -> str:
        return b"".join(self._errors).decode()

    def wait_for(self, text: bytes, times: int = 1) -> None:
        try:
            wait_until(
                lambda: self.output.count(text) >= times,
                timeout=60,
                waiting_for=f"{text!r} in the output",
            )
        except AssertionError as error:
            told = f"{error}; it was {self.output!r} and {self.errors!r}"
            raise AssertionError(told) from None

    def end(self, timeout: float = 60) -> int:
        """Return the exit code; the output is complete then."""
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return code

    def left(self) -> list[psutil.Process]:
        """Return the processes that came from this command and still run."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def session_half(self) -> psutil.Process:
        """Return the half of flow that is not the one a shell knows."""
        halves = psutil.Process(self.process.pid).children()
        return next(half for half in halves if PROGRAM[-1] in half.cmdline())

    def zombies(self) -> list[psutil.Process]:
        """Return the dead children of the session that nobody has buried."""
        children = self.session_half().children()
        return [one for one in children if one.status() == psutil.STATUS_ZOMBIE]

    def nothing_left(self) -> None:
        wait_until(lambda: not self.left(), timeout=60, waiting_for="nothing left")

    def _killed(self) -> bool:
        left = self.left()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        return not left

    def _environ(self, more: dict[str, str] | None) -> dict[str, str]:
        return {**environment(**(more or {})), MARK: self.mark, NAP: self.nap}

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            marked = process.environ().get(MARK) == self.mark
            return marked or self.nap in process.cmdline()
        except psutil.Error:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Again and again: one of them may have been starting another.
        wait_until(self._killed, timeout=60, waiting_for="the end of all that is left")
        self.process.wait(60)
        for reader in self._readers:
            reader.join(60)


class Terminal(Started):
    """A flow command in a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self.mark = uuid.uuid4().hex
        self.nap = str(uuid.uuid4().int % 10**9)
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", WITH_TERMINAL, *PROGRAM, *arguments],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self._environ({"TERM": "xterm", **environ}),
            start_new_session=True,
        )
        os.close(slave)
        self._chunks, self._errors = [], []
        stream = os.fdopen(self._master, "rb", buffering=0)
        self._hung_up = threading.Event()
        self._readers = [threading.Thread(target=self._watch, args=(stream,))]
        self._readers[0].start()

    def press(self, key: bytes) -> None:
        os.write(self._master, key)

    def hang_up(self) -> None:
        """Close the window."""
        self._hung_up.set()
        self._readers[0].join(60)

    def _watch(self, stream: IO[bytes]) -> None:
        # A terminal that nobody holds any more ends with EIO.
        with stream, contextlib.suppress(OSError):
            while not self._hung_up.is_set():
                if readable([stream.fileno()], timeout=0.05):
                    if not (data := os.read(stream.fileno(), 65536)):
                        return
                    self._chunks.append(data)


def _read(stream: IO[bytes], into: list[bytes]) -> None:
    with stream:
        while data := os.read(stream.fileno(), 65536):
            into.append(data)
