"""An app whose jobs say themselves what is to become of them."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from flow import Discard, Retry, SoftTimeout, task
from tests.support.hazards import write

if TYPE_CHECKING:
    from pathlib import Path

NEVER = threading.Event()
ERRORS: dict[str, type[BaseException]] = {
    "ConnectionResetError": ConnectionResetError,
    "BrokenPipeError": BrokenPipeError,
    "ValueError": ValueError,
    "SoftTimeout": SoftTimeout,
}


@task(retries=2)
def ask(ledger: Path, word: str, times: int) -> str:
    """Ask to run again so many times."""
    write(ledger, word)
    tries = ledger.read_text().split().count(word)
    if tries <= times:
        raise Retry(f"{word} is not there yet", after=0)
    return f"{word} at try {tries}"


@task
def ask_then_fail(ledger: Path) -> None:
    write(ledger, "ask_then_fail")
    if ledger.read_text().count("ask_then_fail") == 1:
        raise Retry(after=0)
    raise ValueError("no")


@task
def ask_later() -> None:
    raise Retry(after=3600)


@task
def discard_plain(why: str) -> None:
    raise Discard(why)


@task
async def discard_coroutine(why: str) -> None:
    raise Discard(why)


def undeclared() -> None:
    raise Discard("undeclared")


@task
def nothing() -> None:
    """Do nothing."""


@task
def hold_then(ledger: Path, gate: Path, word: str) -> None:
    write(ledger, f"hold {os.getpid()}")
    while not gate.exists():
        NEVER.wait(0.01)
    raise Retry(after=60) if word == "retry" else Discard(word)


@task(retries=2, backoff=[0], retry_on=(ConnectionError,), give_up_on=BrokenPipeError)
def picky(ledger: Path, kind: str) -> None:
    write(ledger, kind)
    raise ERRORS[kind]


@task(retries=1, backoff=[0], give_up_on=(ValueError, KeyError))
def stubborn(ledger: Path, kind: str) -> None:
    write(ledger, kind)
    raise ERRORS[kind]
