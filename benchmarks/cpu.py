"""Runs a program to its end and says what it cost."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import environment

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

LIMIT = 300.0  # seconds after which a program hangs
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class ProgramFailed(Exception):
    """A program that was to be measured failed or hung."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program took, with all the processes that it started and reaped.

    Args:
        wall: seconds from its start to its end.
        cpu: seconds of processor time.
    """

    wall: float
    cpu: float


def run(command: Sequence[str], folder: Path) -> Cost:
    """Run a program to its end; what it says goes to ``folder/log``.

    Raises:
        ProgramFailed: it did not end well, or not within five minutes.
    """
    cpu, start = _reaped(), time.monotonic()
    with started(command, folder) as process:
        watchdog = threading.Timer(LIMIT, end, [process])
        watchdog.start()
        try:
            code = process.wait()
        finally:
            watchdog.cancel()
    if code:
        words = (folder / "log").read_text("utf-8", "replace").splitlines()[-5:]
        raise ProgramFailed(f"{' '.join(command)}: exit code {code}: {words}")
    return Cost(time.monotonic() - start, _reaped() - cpu)


@contextlib.contextmanager
def started(command: Sequence[str], folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """Give a running program, which ends with the block at the latest."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment.of_contenders(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_tie_to_us,  # noqa: PLW1509 - there is no other thread yet
        )
    try:
        yield process
    finally:
        end(process)
        process.wait()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that still runs, and what it started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _tie_to_us() -> None:
    """Have the kernel end this program with us, even if we are killed."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _reaped() -> float:
    """Return the CPU seconds of all processes that were waited for, ours and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
