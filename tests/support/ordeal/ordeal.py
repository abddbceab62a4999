"""The run itself: all is sent while all is struck; then all has to be right."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.leaks import leaks
from tests.support.ordeal.faults import Faults
from tests.support.ordeal.fleet import Fleet
from tests.support.ordeal.ledger import Ledger, read
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.server import Server

QUEUES = ("default", "urgent")
SETTLES = 180.0  # seconds that all may take to end after the last fault; not judged


@dataclass(frozen=True)
class Plan:
    """How hard a run is.

    Args:
        jobs: how many.
        seed: of the faults.
        pace: seconds between two calls of a producer, on average.
        gap: seconds between two faults, on average.

    """

    jobs: int
    seed: int
    pace: float = 0.12
    gap: float = 0.3


def endure(server: Server, store: Store, folder: Path, plan: Plan) -> list[str]:
    """Send jobs while everything is struck; return what is wrong at the end.

    Args:
        server: where the jobs are.
        store: reads them.
        folder: where everything runs; empty at first.
        plan: how hard.

    """
    _say(f"{plan.jobs} jobs, seed {plan.seed}")
    chance = random.Random(plan.seed)  # noqa: S311 - the same again
    fleet = Fleet(server.url, folder, plan.jobs, plan.pace)
    faults = Faults(fleet, server, chance)
    began = said = time.monotonic()
    try:
        while not fleet.sent:
            faults.pause(2 * plan.gap)
            faults.strike()
            fleet.revive()
            if time.monotonic() - said > 10:
                said = time.monotonic()
                _say(_progress(read(folder), said - began))
        wait_until(
            lambda: _settled(store), timeout=SETTLES, waiting_for="all jobs to end"
        )
    finally:
        fleet.end()
    ledger = read(folder)
    _say(_table(faults, ledger, time.monotonic() - began))
    return [*ledger.problems(store), *leaks(store), *_of_info(server)][:50]


def _settled(store: Store) -> bool:
    rooms = ("queue", "wip", "scheduled", "deferred")
    wanted = [f"rq:{room}:{queue}" for room in rooms for queue in QUEUES]
    return not store.link.command("EXISTS", *wanted)


def _of_info(server: Server) -> list[str]:
    """Return what RQ's own reader finds wrong."""
    program = Path(sys.executable).parent / "rq"
    told = subprocess.run(
        [str(program), "info", "--raw", "--url", server.url],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = told.stdout.splitlines()
    empty = [f"queue {queue} 0, 0 executing, " for queue in QUEUES]
    shown = [any(line.startswith(words) for line in lines) for words in empty]
    # It may still show workers that were killed: for a minute, as RQ's own.
    return (
        []
        if told.returncode == 0 and all(shown)
        else [f"rq info says {told.stdout}{told.stderr}"]
    )


def _progress(ledger: Ledger, seconds: float) -> str:
    return (
        f"{seconds:4.0f} s: {len(ledger.sure)} sent, {len(ledger.ended)} ended, "
        f"{len(ledger.killed)} processes killed, {ledger.reruns} runs repeated"
    )


def _table(faults: Faults, ledger: Ledger, seconds: float) -> str:
    rows = [f"{count:6} {name}" for name, count in sorted(faults.counts.items())]
    return "\n".join([*rows, _progress(ledger, seconds)])


def _say(words: str) -> None:
    sys.stderr.write(f"\n{words}\n")
