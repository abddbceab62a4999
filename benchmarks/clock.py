"""How late the clock is, idle and under load: ``python -m benchmarks.clock``.

Real ``flow clock`` processes on the bench's own server. Lateness is the server's time
when the job was queued, less the tick.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import stand, table
from benchmarks.medians import percentile
from benchmarks.ticking import Ticking, first
from flow.store.entry import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.stand import Stand

SECOND = Rule("every", "1")
CALLS = 100_000  # that the server's log of calls keeps
NOTED = 100  # microseconds from which a call is kept there


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: seconds of ticks, jobs, schedules and kills.

    Args:
        ahead: seconds from the declaration to the instant that all schedules share.
    """

    seconds: int = 10
    delayed: int = 1000
    overdue: int = 20_000
    schedules: int = 10_000
    kills: int = 6
    ahead: float = 8.0


QUICK = Size(seconds=1, delayed=50, overdue=500, schedules=100, kills=1, ahead=2)


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds: of half of them, of 99 in a hundred, of all, and how many."""

    half: float
    most: float
    worst: float
    count: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured.

    Args:
        spreads: milliseconds, by what they are of.
        promoted: overdue jobs a second.
        crowd: how many schedules shared an instant.
        crowd_took: seconds from the instant until the last was queued.
        many_took: seconds that enqueue_many took for as many jobs.
        leaders: how many led meanwhile.
    """

    spreads: dict[str, Spread]
    promoted: float
    crowd: int
    crowd_took: float
    many_took: float
    leaders: int

    @property
    def words(self) -> str:
        """What no table shows."""
        return (
            f"{self.promoted:,.0f} overdue jobs promoted a second\n"
            f"{self.crowd:,} schedules at one instant: the last after "
            f"{self.crowd_took * 1000:.0f} ms, {self.crowd_took / self.many_took:.2f} "
            f"times what enqueue_many takes ({self.many_took * 1000:.0f} ms); "
            f"{self.leaders} led"
        )


def measure(bench: Stand, size: Size, tell: Callable[[str], None]) -> Found:
    """Measure each part on a server that is empty at first."""
    spreads: dict[str, Spread] = {}
    tell("clock: idle")
    ticks, jobs = _idle(Ticking(bench), size)
    spreads |= {"ticks, idle": _spread(ticks), "delayed jobs, idle": _spread(jobs)}
    tell("clock: overdue jobs")
    promoted = _overdue(Ticking(bench), size.overdue)
    tell("clock: many schedules at one instant")
    ticking = Ticking(bench)
    many, calls = _crowd(ticking, bench, size)
    late, leaders = ticking.late(), ticking.leaders()
    crowd = f"{size.schedules:,} schedules at one instant"
    spreads |= {
        f"ticks, {crowd}": _spread(late),
        "its script calls of 0.1 ms or more": _spread(calls),
    }
    for number, name in ((signal.SIGKILL, "kill -9"), (signal.SIGTERM, "SIGTERM")):
        tell(f"clock: leaders that get {name}")
        late_then = _kills(Ticking(bench), size.kills, number)
        spreads[f"ticks, {size.kills} x {name}"] = _spread(late_then)
    return Found(spreads, promoted, size.schedules, max(late) / 1000, many, leaders)


def _idle(ticking: Ticking, size: Size) -> tuple[list[float], list[float]]:
    """Return how late ticks and delayed jobs are with nothing else to do."""
    with ticking.clocks(3):
        ticking.declare(5, SECOND)
        begin, count = time.time() + 1, size.delayed
        due = [begin + size.seconds * n / count for n in range(count)]
        ticking.enqueue(due)
        threading.Event().wait(size.seconds + 2)
    queued = ticking.queued_at(count)
    late = [(at - then) * 1000 for at, then in zip(queued, due, strict=True)]
    return ticking.late(), late


def _overdue(ticking: Ticking, count: int) -> float:
    """Return how many overdue jobs three clocks promote in a second."""
    ticking.enqueue([time.time() - 1] * count)
    command = ticking.store.link.command
    began: list[float] = []

    def look() -> None:
        began.append(first(lambda: int(command("LLEN", "rq:queue:delayed")), 1))
        began.append(first(lambda: int(command("LLEN", "rq:queue:delayed")), count))

    # They begin while the last of the clocks still starts.
    looking = threading.Thread(target=look)
    looking.start()
    with ticking.clocks(3):
        looking.join()
    return count / max(0.001, began[1] - began[0])


def _crowd(ticking: Ticking, bench: Stand, size: Size) -> tuple[float, list[float]]:
    """Return the seconds of enqueue_many, and the ms of the clocks' script calls."""
    began, count = time.monotonic(), size.schedules
    ticking.enqueue([None] * count)
    many = time.monotonic() - began
    with ticking.clocks(3):
        ticking.declare(count, ticking.once(size.ahead))
        bench.client.config_set("slowlog-max-len", CALLS)
        # Not each command of a script: noting those would cost as much as they do.
        bench.client.config_set("slowlog-log-slower-than", NOTED)
        bench.client.slowlog_reset()
        queue = "rq:queue:default"
        first(lambda: int(bench.client.llen(queue)), least=count, every=0.1)
        threading.Event().wait(1 + many)
        bench.client.config_set("slowlog-log-slower-than", -1)
    calls = [
        one["duration"] / 1000
        for one in bench.client.slowlog_get(CALLS)
        if one["command"].startswith(b"EVALSHA")
    ]
    bench.client.slowlog_reset()
    return many, calls


def _kills(ticking: Ticking, count: int, number: signal.Signals) -> list[float]:
    """Return how late ticks are while leaders are killed or end."""
    with ticking.clocks(count + 2) as clocks:
        ticking.declare(1, SECOND)
        for _ in range(count):
            threading.Event().wait(1.3)
            leader = ticking.timetable.leader()
            for clock in clocks:
                if leader.endswith(f".{clock.pid}"):
                    clock.send_signal(number)
        threading.Event().wait(2)
    return ticking.late()


def _spread(found: Sequence[float]) -> Spread:
    most = percentile(found, 99)
    return Spread(percentile(found, 50), most, max(found), len(found))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="to see that it works")
    size = QUICK if parser.parse_args().quick else Size()
    with stand.fresh(append_only="everysec") as bench:
        found = measure(bench, size, _tell)
    print(table.spreads(found.spreads), found.words, sep="\n\n")


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
