"""The example app at work: its workers, and RQ's, in a folder of their own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rq

from tests.support import workers

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Generator

    from flow import Job

# RQ and redis-py are typed in part, so that strict checkers refuse each use of them.
Untyped = Any
RQ: Untyped = rq

ROOT = Path(__file__).resolve().parents[2]
SHOP = "tests.support.shop.tasks"
PLAIN = "tests.support.shop.plain"


class Shop:
    """The app in ``tests.support.shop``, on a server.

    Args:
        url: the server.
        folder: where its workers run; empty at first.

    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._environment = {"PYTHONPATH": str(ROOT)}

    def work(self, *options: str) -> str:
        """Have a worker run all that waits; return what it says."""
        return _said(
            workers.burst(
                self.url, SHOP, self.folder, *options, environment=self._environment
            )
        )

    def rq_work(self, *options: str, queues: tuple[str, ...] = ("default",)) -> str:
        """Have a plain ``rq worker`` run all that waits; return what it says."""
        return _said(
            workers.rq_burst(
                self.url,
                self.folder,
                *options,
                queues=queues,
                environment=self._environment,
            )
        )

    @contextlib.contextmanager
    def open(self, *options: str) -> Generator[subprocess.Popen[bytes]]:
        """Have a worker run until the block ends."""
        one = ("--processes", "1")
        with workers.worker(
            self.url,
            *(*one, *options),
            app=SHOP,
            folder=self.folder,
            environment=self._environment,
        ) as process:
            yield process

    def gate(self, name: str = "gate") -> Path:
        """Return a FIFO for ``hold``; ``let_go`` ends the job that waits at it."""
        path = self.folder / name
        os.mkfifo(path)
        return path

    @property
    def ledger(self) -> Path:
        """The file for ``note``."""
        return self.folder / "ledger"

    def noted(self) -> list[str]:
        """Return the words in the ledger, in the order in which they were noted."""
        return self.ledger.read_text().split() if self.ledger.exists() else []


def as_rq_sees(job: Job[Any], client: Untyped) -> Untyped:
    """Return RQ's own handle on a job."""
    return RQ.job.Job.fetch(job.id, connection=client)


def let_go(gate: Path, word: str) -> None:
    """Write to a gate; waits for the job that reads it."""
    gate.write_text(word)


def _said(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def heard(client: Untyped, job: Untyped) -> list[str]:
    """Return what a job's callbacks noted, in order."""
    return [words.decode() for words in client.lrange(f"told:{job.id}", 0, -1)]
