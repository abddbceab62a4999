"""The app of the run: each job writes when it begins and when it ends.

Workers run in the folder of the run, so that the ledger is a file beside them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from flow import task

if TYPE_CHECKING:
    from collections.abc import Generator

LEDGER = Path("ledger")
STILL = threading.Event()


def write(word: str, serial: int) -> None:
    """Add a line in one write: the lines of all processes are in one order."""
    descriptor = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{word} {serial} {os.getpid()}\n".encode())
    os.close(descriptor)


@contextlib.contextmanager
def run(serial: int) -> Generator[None]:
    write("begin", serial)
    yield
    write("end", serial)


@task(result_ttl=3600)
def quick(serial: int) -> int:
    with run(serial):
        return serial


@task(result_ttl=3600)
def nap(serial: int, seconds: float) -> int:
    with run(serial):
        STILL.wait(seconds)
    return serial


@task(result_ttl=3600)
async def anap(serial: int, seconds: float) -> int:
    with run(serial):
        await asyncio.sleep(seconds)
    return serial


@task(urgent=True, result_ttl=3600)
def hurry(serial: int) -> int:
    with run(serial):
        return serial


@task(on_crash="fail", result_ttl=3600)
def once(serial: int, seconds: float) -> int:
    """Must never begin twice."""
    with run(serial):
        STILL.wait(seconds)
    return serial


@task(retries=5, backoff=[0.05, 0.5], result_ttl=3600)
def shaky(serial: int) -> int:
    """Fail at its first try."""
    try:
        os.close(os.open(f"tried-{serial}", os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        with run(serial):
            return serial
    raise ConnectionError(f"job {serial} fails at first")
