"""The processes of a run: workers, a clock, producers; each is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.faults import ROOT, children

if TYPE_CHECKING:
    from pathlib import Path

APP = "tests.support.ordeal.tasks"
PRODUCERS = 2
WORKERS = (
    ("--processes", "2"),
    ("--processes", "1", "--threads", "4"),
    ("--processes", "1", "--urgent"),
)


@dataclass(eq=False)
class Member:
    """One program of the fleet.

    Args:
        what: worker, clock or producer.
        command: how it is started.
        fleet: where.

    """

    what: str
    command: list[str]
    fleet: Fleet

    def __post_init__(self) -> None:
        """Start it."""
        self.process = self._start()

    @property
    def done(self) -> bool:
        """Whether it has ended by itself, and well."""
        return self.process.poll() == 0

    @property
    def children(self) -> list[int]:
        """Its processes that take jobs."""
        return children(self.process)

    def revive(self) -> None:
        """Start it again if it has ended; a producer only if it was killed."""
        ended = self.process.poll() is not None
        if ended and not (self.what == "producer" and self.done):
            self.process = self._start()

    def send(self, number: int) -> None:
        """Send it a signal, if it still is there."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it, and with it its processes."""
        # It stands still, so that it can start no other meanwhile.
        self.process.send_signal(signal.SIGSTOP)
        if self.what == "worker":
            self.fleet.note_kills(self.children)
        self.process.kill()
        self.process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.fleet.folder / f"{self.what}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=self.fleet.folder,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "REDIS_URL": self.fleet.url,
                    "FLOW_APP": APP,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


class Fleet:
    """All programs of a run.

    Args:
        url: the server.
        folder: where they run; empty at first.
        jobs: how many jobs the producers send together.
        pace: seconds between two calls of a producer, on average.

    """

    def __init__(self, url: str, folder: Path, jobs: int, pace: float) -> None:
        """Start them all."""
        self.url = url
        self.folder = folder
        self.workers = [
            Member("worker", ["flow", "worker", *options], self) for options in WORKERS
        ]
        self.clock = Member("clock", ["flow", "clock"], self)
        told = (str(jobs // PRODUCERS), str(pace))
        program = "tests.support.ordeal.producer"
        self.producers = [
            Member("producer", [program, f"journal-{n}", str(n), *told], self)
            for n in range(1, PRODUCERS + 1)
        ]

    @property
    def all(self) -> list[Member]:
        """All of them."""
        return [*self.workers, self.clock, *self.producers]

    @property
    def sent(self) -> bool:
        """Whether the producers have sent all."""
        return all(member.done for member in self.producers)

    def revive(self) -> None:
        """Start those again that have ended."""
        for member in self.all:
            member.revive()

    def note_kills(self, pids: list[int]) -> None:
        """Have the ledger know who is about to be killed."""
        descriptor = os.open(
            self.folder / "ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
        )
        lines = "".join(f"kill 0 {pid}\n" for pid in pids)
        os.write(descriptor, lines.encode())
        os.close(descriptor)

    def end(self) -> None:
        """Ask all to stop, then see that they have."""
        for member in self.all:
            member.send(signal.SIGTERM)
        for member in self.all:
            try:
                member.process.wait(60)
            finally:
                member.process.kill()
                member.process.wait()
