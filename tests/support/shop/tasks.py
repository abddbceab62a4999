"""The shop's tasks."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from flow import Job, task
from tests.support.shop import callbacks


@task
def resize(path: str, width: int = 100) -> str:
    """Return what a picture would be called."""
    return f"{path} at {width}"


@task
async def fetch(page: str) -> str:
    await asyncio.sleep(0)
    return f"<h1>{page}</h1>"


@task(urgent=True)
def charge(order: int) -> int:
    return order * 100


@task(queue="mail", retries=2, backoff=[0, 0])
def send(ledger: Path, to: str) -> str:
    """Fail twice, as mail servers do."""
    note(ledger, to)
    tries = len(ledger.read_text().split())
    if tries <= 2:
        raise ConnectionError(f"try {tries} failed")
    return f"sent to {to} at try {tries}"


@task(name="nightly report", result_ttl=0)
def report() -> str:
    return "a result that nobody keeps"


@task
def note(ledger: Path, word: str) -> None:
    """Add a word to a file, so that a test sees what ran, and in which order."""
    with ledger.open("a") as file:
        file.write(f"{word}\n")


@task
def echo(value: object) -> object:
    return value


@task
def fail(reason: str) -> None:
    raise ValueError(reason)


@task
def hold(gate: Path) -> str:
    """Run until somebody writes to the gate, a FIFO."""
    return gate.read_text()


@task(timeout=0.2)
def forever() -> None:
    try:
        threading.Event().wait()
    except Exception:  # noqa: BLE001 - as careless code does
        note(Path("swallowed"), "the timeout was swallowed")


@task
def idle() -> None:
    threading.Event().wait()


@task(timeout=0.2)
async def forever_async() -> None:
    await asyncio.Event().wait()


@task
def make_lock() -> object:
    return threading.Lock()


@task
def leave() -> None:
    raise SystemExit(3)


@task
def order_all(count: int) -> list[str]:
    """Enqueue from within a job, and return the ids."""
    jobs: list[Job[int]] = charge.enqueue_many([(n,) for n in range(count)])
    return [job.id for job in jobs]


@task
def now() -> float:
    return time.time()


@task
def loaded(module: str) -> bool:
    """Return whether a module was imported here."""
    return module in sys.modules


@task
def heard(job: Any, connection: Any, result: str) -> None:  # noqa: ANN401 - RQ's
    """Be a success callback that is a task."""
    connection.rpush(f"told:{job.id}", result)
    connection.expire(f"told:{job.id}", 600)


@task(on_crash="fail")
def vanish(code: int) -> None:
    """End the process that runs this."""
    os._exit(code)


@task
def heard_failure(job: Any, connection: Any, *error: Any) -> None:  # noqa: ANN401
    """Be a failure callback that is a task."""
    callbacks.failed(job, connection, *error)
