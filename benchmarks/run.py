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
    live,
    machine,
    memory,
    runner,
    stand,
    table,
    urgent,
)
from benchmarks.burst import JobsMissing
from benchmarks.contenders import CONTENDERS, FLOOR, FLOW, PAIR, RQ
from benchmarks.cpu import ProgramFailed
from flow.errors import FlowError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from benchmarks.contenders import Contender
    from benchmarks.drain import Drained

TARGET = 150  # times flow's CPU a job that RQ's default worker takes


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Args:
        rounds: of each contender, in turn.
        share: of the jobs that contenders get.
        jobs: to enqueue in a round, and to weigh.
        trips: to an idle worker.
        clock: of the clock's.
        urgent: of the urgent lane's.
        live: of workers that run on.
        lines: that a runner passes on in a round.
    """

    rounds: int = 3
    share: float = 1.0
    jobs: int = 2000
    trips: int = 400
    clock: clock.Size = field(default_factory=clock.Size)
    urgent: urgent.Size = field(default_factory=urgent.Size)
    live: live.Size = field(default_factory=live.Size)
    lines: int = runner.LINES


QUICK = Size(
    rounds=1,
    share=0.05,
    jobs=100,
    trips=10,
    clock=clock.QUICK,
    urgent=urgent.Size(ordinary=200, urgent=5),
    live=live.Size(idle=0.5, coroutines=50, threads=4),
    lines=3_000,
)
Measured = tuple[Any, list[str]]  # what was found, and its tables


def main() -> None:
    """Measure, print the tables, and write the figures where that is asked for."""
    asked = _asked()
    size = QUICK if asked.quick else Size(rounds=asked.rounds)
    # Contenders and the server end with this process, however it is stopped.
    signal.signal(signal.SIGTERM, _leave)
    with stand.fresh(asked.append_only) as bench:
        found = _measure(bench, size, asked.only or tuple(PARTS))
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
    add(
        "--only",
        action="append",
        choices=tuple(PARTS),
        help="this part; may be repeated",
    )
    add("--append-only", choices=("everysec", "off"), default="everysec")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def _measure(bench: stand.Stand, size: Size, parts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, measure in PARTS.items():
        if name in parts:
            found[name], texts = measure(bench, size)
            _show(*texts)
    return found


def _drain(bench: stand.Stand, size: Size) -> Measured:
    found = drain.measure(bench, _sized(size), size.rounds, _tell)
    empty = table.starts([(one.name, one.start) for one in found])
    return found, [table.drains(found), _verdict(found), "", empty]


def _enqueue(bench: stand.Stand, size: Size) -> Measured:
    found = enqueue.measure(bench, size.jobs, size.rounds, _tell)
    return found, [table.enqueues(found)]


def _latency(bench: stand.Stand, size: Size) -> Measured:
    found = latency.measure(bench, size.trips, _tell)
    return found, [table.latencies(found)]


def _urgent(bench: stand.Stand, size: Size) -> Measured:
    found = urgent.measure(bench, size.urgent, _tell)
    return found, [table.urgents(found)]


def _live(bench: stand.Stand, size: Size) -> Measured:
    found = live.measure(bench, size.live, _tell)
    return found, [table.lives(found)]


def _memory(bench: stand.Stand, size: Size) -> Measured:
    found = memory.measure(bench, size.jobs, _tell)
    return found, [table.memories(found)]


def _clock(bench: stand.Stand, size: Size) -> Measured:
    found = clock.measure(bench, size.clock, _tell)
    return found, [table.spreads(found.spreads), "", found.words]


def _runner(_bench: stand.Stand, size: Size) -> Measured:
    found = runner.compare(size.lines, size.rounds, _tell)
    return found, [table.runners(found, size.lines)]


PARTS: dict[str, Callable[[stand.Stand, Size], Measured]] = {
    "drain": _drain,
    "enqueue": _enqueue,
    "latency": _latency,
    "urgent": _urgent,
    "live": _live,
    "memory": _memory,
    "clock": _clock,
    "runner": _runner,
}


def _sized(size: Size) -> list[Contender]:
    share = size.share
    return [replace(one, jobs=max(10, int(one.jobs * share))) for one in CONTENDERS]


def _verdict(found: Sequence[Drained]) -> str:
    flow, rq = found[0], next(one for one in found if one.name == RQ.name)
    times = rq.cpu / flow.cpu if flow.cpu > 0 else 0.0
    reached = "reached" if times >= TARGET else "NOT reached"
    return (
        f"CPU a job: {times:.0f} times less than {RQ.name}; {TARGET}: {reached}\n"
        + _beside_the_floor(found)
    )


def _beside_the_floor(found: Sequence[Drained]) -> str:
    floor = next(one for one in found if one.name == FLOOR.name)
    shares = [
        f"{floor.seconds / one.seconds:.0%} ({one.name})"
        for one in found
        if one.name in (FLOW.name, PAIR.name) and one.seconds > 0
    ]
    return f"Speed of a drain, of {FLOOR.name}: {', '.join(shares)}"


def _show(*texts: str) -> None:
    print("", *texts, sep="\n", flush=True)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except (FlowError, ProgramFailed, JobsMissing) as error:
        sys.exit(f"benchmarks: {error}")
