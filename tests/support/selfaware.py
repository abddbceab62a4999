"""An app whose jobs look at themselves."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from typing import TYPE_CHECKING, Any

import flow
from flow import CurrentJob, task
from tests.support.hazards import write

if TYPE_CHECKING:
    from pathlib import Path

NEVER = threading.Event()


def told(job: CurrentJob | None) -> dict[str, Any]:
    """Return what a job says of itself, ready to be a result."""
    assert job is not None
    return {
        "id": job.id,
        "task": job.task,
        "queue": job.queue,
        "attempt": job.attempt,
        "left": job.retries_left,
        "deadline": job.deadline,
        "stopping": job.stopping,
    }


def me() -> str | None:
    job = flow.current_job()
    return job.id if job else None


@task(retries=3, timeout=1000)
def look() -> dict[str, Any]:
    return told(flow.current_job())


@task(timeout=-1)
def look_without_limit() -> dict[str, Any]:
    return told(flow.current_job())


@task(name="a person's name", retries=3, timeout=1000)
async def alook() -> list[Any]:
    """Look in the job, in a task that it spawns, and in a thread."""
    await asyncio.sleep(0)
    spawned = asyncio.create_task(_spawned())
    return [
        told(flow.current_job()),
        await spawned,
        await asyncio.to_thread(me),
    ]


async def _spawned() -> str | None:
    await asyncio.sleep(0)
    return me()


def wrapped() -> object:
    return _spawned()


def _here(barrier: Path) -> int:
    return barrier.read_text().count("here")


@task
def meet(barrier: Path, count: int) -> str | None:
    """Look while others run, and again when they have looked too."""
    before = me()
    write(barrier, "here")
    while _here(barrier) < count:
        NEVER.wait(0.01)
    return before if before == me() else "it has changed"


@task
async def ameet(barrier: Path, count: int) -> str | None:
    before = me()
    write(barrier, "here")
    while _here(barrier) < count:  # noqa: ASYNC110 - others write it
        await asyncio.sleep(0.01)
    return before if before == me() else "it has changed"


@task(retries=2, backoff=[0])
def count_attempts(ledger: Path) -> None:
    job = flow.current_job()
    assert job is not None
    write(ledger, f"{job.attempt}/{job.retries_left}")
    raise ValueError("no")


@task(timeout=1000)
def stop_with_the_worker(ledger: Path) -> dict[str, Any]:
    """Do what long jobs should: end when the worker wants to."""
    job = flow.current_job()
    assert job is not None
    write(ledger, f"hold {os.getpid()}")
    assert not job.stopping
    while not job.stopping:
        NEVER.wait(0.01)
    return told(job)


LEFT_BEHIND: list[str | None] = []


@task
def leave_a_thread(gate: Path) -> None:
    """Leave a thread with the context of this job, which it outlives."""
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_look_late, gate), daemon=True).start()


def _look_late(gate: Path) -> None:
    LEFT_BEHIND.append(me())
    while not gate.exists():
        NEVER.wait(0.01)
    LEFT_BEHIND.append(me())
    write(gate, "looked")


@task
def left_behind(gate: Path) -> list[str | None]:
    gate.touch()
    while not gate.read_text():
        NEVER.wait(0.01)
    return LEFT_BEHIND
