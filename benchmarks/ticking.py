"""An app that ticks: its schedules, its delayed jobs, and the clocks that run it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flow.record import Invocation, JobRecord
from flow.registry import Policy
from flow.schedules import missed
from flow.schedules.entries import entry
from flow.store.address import Address
from flow.store.client import Store
from flow.store.entry import Rule
from flow.store.roster import Roster
from flow.store.schedules import Schedules
from flow.store.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from benchmarks.stand import Stand

APP = "ticking"
SOURCE = "from flow import task\n\n\n@task\ndef beat() -> None: ...\n"


class Ticking:
    """The app on a stand, which it empties first.

    Args:
        bench: where.
    """

    def __init__(self, bench: Stand) -> None:
        """Write the app; nothing ticks yet."""
        bench.empty()
        self._bench = bench
        (bench.folder / f"{APP}.py").write_text(SOURCE)
        self.store = Store(Address(bench.url, "the bench"))
        self.timetable = Timetable(self.store.link, APP)

    def declare(self, count: int, rule: Rule) -> None:
        """Make so many schedules that recur alike."""
        record = JobRecord("none", Invocation(f"{APP}.beat"), "default")
        policy, now = Policy(catch_up="all"), self.timetable.time()
        made = [entry(f"beat-{n}", rule, policy, record, now) for n in range(count)]
        Roster(self.store.link, APP, missed.count).declare(made, "dynamic")

    def once(self, within: float) -> Rule:
        """Return a rule whose next instant is so many seconds off, then an hour."""
        at = datetime.fromtimestamp(self.timetable.time() / 1000 + within, UTC)
        return Rule("cron", f"{at.second} {at.minute} * * * *")

    def enqueue(self, due: Sequence[float] | Sequence[None]) -> None:
        """Enqueue a job for each, delayed until then, in unix seconds."""
        call = Invocation(f"{APP}.beat")
        self.store.enqueue(
            [JobRecord(f"job-{n}", call, "delayed", due=at) for n, at in enumerate(due)]
        )

    def queued_at(self, count: int) -> list[float]:
        """Return when each of so many delayed jobs was queued, unix seconds."""
        raw = [
            self.store.link.command("HGET", f"rq:job:job-{n}", "enqueued_at")
            for n in range(count)
        ]
        return [datetime.fromisoformat(one.decode()).timestamp() for one in raw]

    def late(self) -> list[float]:
        """Return the ms by which each tick was late."""
        notes = Schedules(self.store.link, APP).history(None, 100_000)
        return [float(note.late or 0) for note in notes]

    def leaders(self) -> int:
        """Return how many have led so far."""
        return int(self.store.link.command("GET", f"flow:clock:{APP}:epoch") or 0)

    @contextlib.contextmanager
    def clocks(self, count: int) -> Generator[list[subprocess.Popen[bytes]]]:
        """Have so many clocks up until the block ends."""
        log = self._bench.folder / f"{APP}.log"
        command = [sys.executable, "-m", "flow", "clock", "--app", APP]
        environment = {**os.environ, "REDIS_URL": self._bench.url}
        with log.open("wb") as stderr:
            running = [
                subprocess.Popen(
                    command, cwd=self._bench.folder, env=environment, stderr=stderr
                )
                for _ in range(count)
            ]
        try:
            first(lambda: log.read_bytes().count(b"clock is up"), least=count)
            first(lambda: len(self.timetable.leader()), least=1)
            yield running
        finally:
            for clock in running:
                clock.kill()
                clock.wait()


def first(count: Callable[[], int], least: int, every: float = 0.001) -> float:
    """Wait until there are so many; return when, in seconds of uptime.

    Args:
        count: tells how many there are.
        least: how many are waited for.
        every: seconds between two looks, which take a processor from what is measured.
    """
    while count() < least:
        threading.Event().wait(every)
    return time.monotonic()
