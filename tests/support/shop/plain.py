"""Functions that are no tasks: what an RQ shop enqueues."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rq import Retry, get_current_job


def add(one: int, other: int = 0) -> int:
    return one + other


async def slow_add(one: int, other: int) -> int:
    await asyncio.sleep(0)
    return one + other


def explode(what: str) -> None:
    raise RuntimeError(f"{what} exploded")


def flaky(ledger: str, fails: int) -> int:
    """Fail so many times, then return the number of the try."""
    path = Path(ledger)
    with path.open("a") as file:
        file.write(".")
    tries = len(path.read_text())
    if tries <= fails:
        raise RuntimeError(f"try {tries}")
    return tries


def again(tries: int, interval: int = 0, *, front: bool = False) -> Retry:
    return Retry(max=tries, interval=interval, enqueue_at_front=front)


async def slow_again(tries: int) -> Retry:
    await asyncio.sleep(0)
    return Retry(max=tries)


def soon() -> Retry:
    """Ask for a delay that is none."""
    asked: Any = Retry(max=1)
    asked.intervals = [float("nan")]
    return asked  # type: ignore[no-any-return]


def wait() -> None:
    threading.Event().wait()


@dataclass
class Account:
    """Something with methods."""

    owner: str

    def greet(self, word: str) -> str:
        return f"{word}, {self.owner}"

    @classmethod
    def of(cls, owner: str) -> str:
        return f"{cls.__name__} of {owner}"

    @staticmethod
    def fee(amount: int) -> int:
        return amount // 10


def mark(ledger: str, word: object) -> None:
    """Add a word and the process that ran it, in one write."""
    line = f"{word} {os.getpid()}\n"
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def count_up() -> tuple[str, int]:
    """Do what RQ's documents do with the current job; return its id and its count."""
    job: Any = get_current_job()
    job.meta["count"] = job.meta.get("count", 0) + 1
    job.save_meta()
    again: Any = get_current_job()
    return again.id, again.meta["count"]
