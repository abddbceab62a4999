"""Speed and cost of flow beside RQ's, in one run on one server: ``make bench``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import (
    clock,
    drain,
    enqueue,
    latency,
    machine,
    memory,
    runner,
    stand,
    table,
)
from benchmarks.burst import JobsMissing
from benchmarks.contenders import CONTENDERS, RQ
from benchmarks.cpu import ProgramFailed
from flow.errors import FlowError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from benchmarks.drain import Drained

TARGET = 20  # times flow's CPU a job that RQ's default worker takes


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Args:
        rounds: of each contender, in turn.
        share: of the jobs that contenders get.
        jobs: to enqueue in a round, and to weigh.
        trips: to an idle worker.
        clock: of the clock's.
        lines: that a runner passes on in a round.
    """

    rounds: int = 3
    share: float = 1.0
    jobs: int = 2000
    trips: int = 400
    clock: clock.Size = field(default_factory=clock.Size)
    lines: int = runner.LINES


QUICK = Size(rounds=1, share=0.05, jobs=100, trips=10, clock=clock.QUICK, lines=3_000)
PARTS = ("drain", "enqueue", "latency", "memory", "clock", "runner")


def main() -> None:
    """Measure, print the tables, and write the figures where that is asked for."""
    asked = _asked()
    size = QUICK if asked.quick else Size(rounds=asked.rounds)
    # Contenders and the server end with this process, however it is stopped.
    signal.signal(signal.SIGTERM, _leave)
    with stand.fresh(asked.append_only) as bench:
        found = _measure(bench, size, asked.only or PARTS)
        found["machine"] = machine.describe(bench, asked.append_only)
        print("\n" + "\n".join(found["machine"]))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1, default=asdict) + "\n")


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="a smoke run; its figures mean nothing")
    add("--rounds", type=int, default=Size().rounds, help="of each contender (3)")
    add("--only", action="append", choices=PARTS, help="this part; may be repeated")
    add("--append-only", choices=("everysec", "off"), default="everysec")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def _measure(bench: stand.Stand, size: Size, parts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "drain" in parts:
        contenders = [
            replace(one, jobs=max(10, int(one.jobs * size.share))) for one in CONTENDERS
        ]
        found["drain"] = drain.measure(bench, contenders, size.rounds, _tell)
        _show(table.drains(found["drain"]), _verdict(found["drain"]))
        _show(table.starts([(one.name, one.start) for one in found["drain"]]))
    if "enqueue" in parts:
        found["enqueue"] = enqueue.measure(bench, size.jobs, size.rounds, _tell)
        _show(table.enqueues(found["enqueue"]))
    if "latency" in parts:
        found["latency"] = latency.measure(bench, size.trips, _tell)
        _show(table.latencies(found["latency"]))
    if "memory" in parts:
        found["memory"] = memory.measure(bench, size.jobs, _tell)
        _show(table.memories(found["memory"]))
    if "clock" in parts:
        found["clock"] = clock.measure(bench, size.clock, _tell)
        _show(table.spreads(found["clock"].spreads), "", found["clock"].words)
    if "runner" in parts:
        found["runner"] = runner.compare(size.lines, size.rounds, _tell)
        _show(table.runners(found["runner"], size.lines))
    return found


def _verdict(found: Sequence[Drained]) -> str:
    flow, rq = found[0], next(one for one in found if one.name == RQ.name)
    times = rq.cpu / flow.cpu if flow.cpu > 0 else 0.0
    reached = "reached" if times >= TARGET else "NOT reached"
    return f"CPU a job: {times:.0f} times less than {RQ.name}; {TARGET}: {reached}"


def _show(*texts: str) -> None:
    print("", *texts, sep="\n", flush=True)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except (FlowError, ProgramFailed, JobsMissing) as error:
        sys.exit(f"benchmarks: {error}")
