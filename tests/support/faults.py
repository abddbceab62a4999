"""A yard to break workers in: real ones, what they said, and what is left of them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from flow.workers import guard
from tests.support import workers
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Generator

    from flow.store.client import Store

ROOT = Path(__file__).resolve().parents[2]
APP = "tests.support.hazards"
PATIENCE = 60.0  # seconds that a test waits for anything at most; never measured


class Yard:
    """Workers of ``tests.support.hazards`` in a folder of their own.

    Args:
        url: the server.
        folder: where they run; empty at first.

    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.ledger = folder / "ledger"

    @contextlib.contextmanager
    def worker(
        self, *options: str, app: str = APP, processes: int = 1, url: str | None = None
    ) -> Generator[subprocess.Popen[bytes]]:
        """Have a worker run until the block ends."""
        with workers.worker(
            url or self.url,
            *("--processes", str(processes), *options),
            app=app,
            folder=self.folder,
            environment={"PYTHONPATH": str(ROOT)},
        ) as process:
            yield process

    def burst(self, *options: str, app: str = APP) -> str:
        """Have a worker run all that waits; return what it says."""
        ended = workers.burst(
            self.url,
            app,
            self.folder,
            *options,
            environment={"PYTHONPATH": str(ROOT)},
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stderr

    def log(self) -> str:
        """Return what the workers have said."""
        return workers.log(self.folder)

    def said(self, words: str, times: int = 1) -> None:
        """Wait until a worker has said that."""
        wait_until(
            lambda: self.log().count(words) >= times,
            timeout=PATIENCE,
            waiting_for=f"{words!r} in {self.folder / 'worker.log'}",
        )

    def noted(self) -> list[str]:
        """Return the lines of the ledger."""
        return self.ledger.read_text().splitlines() if self.ledger.exists() else []

    def expect(self, count: int) -> list[str]:
        """Wait for so many lines in the ledger, and return them."""

        def enough() -> list[str]:
            lines = self.noted()
            return lines if len(lines) >= count else []

        return wait_until(
            enough, timeout=PATIENCE, waiting_for=f"{count} lines in the ledger"
        )

    def running(self, count: int = 1) -> list[int]:
        """Wait until so many jobs that hold have started; return their processes."""
        return [int(line.split()[1]) for line in self.expect(count)[-count:]]

    def gate(self, name: str = "gate") -> Path:
        """Return where jobs hold, until ``let_go``."""
        return self.folder / name

    def nothing_left(self) -> None:
        """Wait until no process runs in the folder any more."""
        wait_until(
            lambda: not self._left(), timeout=PATIENCE, waiting_for="processes to end"
        )

    def _left(self) -> list[int]:
        found: list[int] = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE and Path(
                    process.cwd()
                ).is_relative_to(self.folder):
                    found.append(process.pid)
        return found


def let_go(gate: Path, word: str = "go") -> None:
    """Let every job go on that holds at a gate, and return ``word``."""
    unseen = gate.with_suffix(".new")
    unseen.write_text(word)
    unseen.replace(gate)  # whole at once


def gone(pid: int) -> None:
    """Wait until there is no such process."""
    wait_until(
        lambda: not psutil.pid_exists(pid),
        timeout=PATIENCE,
        waiting_for=f"the end of process {pid}",
    )


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes of a worker, but for its guard."""
    family = psutil.Process(process.pid).children()
    return [child.pid for child in family if child.name() != guard.NAME.decode()]


def everything(process: subprocess.Popen[bytes]) -> list[int]:
    """Return a worker, its processes and what their jobs started, the last first."""
    family = psutil.Process(process.pid).children(recursive=True)
    return [*reversed([child.pid for child in family]), process.pid]


def settled(store: Store, *queues: str) -> None:
    """Wait until nothing waits or runs in these queues."""

    def empty() -> bool:
        command = store.link.command
        return not any(
            command("EXISTS", f"rq:queue:{q}", f"rq:wip:{q}", f"rq:scheduled:{q}")
            for q in queues or ("default",)
        )

    wait_until(empty, timeout=PATIENCE, waiting_for="all jobs to end")
