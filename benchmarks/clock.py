"""How late the clock is, idle and under load: ``python -m benchmarks.clock``.

Real ``flow clock`` processes on the bench's own server. Lateness is the server's time
when the job was queued, less the tick.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from benchmarks import stand
from flow.record import Invocation, JobRecord
from flow.registry import Policy
from flow.schedules.entries import entry
from flow.store.address import Address
from flow.store.client import Store
from flow.store.entry import Rule
from flow.store.schedules import Schedules
from flow.store.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from benchmarks.stand import Stand

APP = "ticking"
SOURCE = "from flow import task\n\n\n@task\ndef beat() -> None: ...\n"
LATENESS = "{what:<38} p50 {half:>6.1f}   p99 {most:>6.1f}   max {worst:>6.1f} ms"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: seconds of ticks, jobs, schedules and kills."""

    seconds: int = 20
    delayed: int = 1000
    overdue: int = 20_000
    schedules: int = 10_000
    kills: int = 10


QUICK = Size(seconds=3, delayed=100, overdue=1000, schedules=200, kills=1)


def main() -> None:
    """Measure and print; each part on a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="to see that it works")
    size = QUICK if parser.parse_args().quick else Size()
    for part in (idle, overdue, midnight, kills):
        with stand.fresh(append_only="everysec") as bench:
            part(bench, size)


def idle(bench: Stand, size: Size) -> None:
    """Print the lateness of ticks and of delayed jobs, with nothing else to do."""
    store = _store(bench)
    with _clocks(bench, 3):
        _declare(store, 5, Rule("every", "1"))
        due = _delay(store, size.delayed, over=float(size.seconds))
        threading.Event().wait(size.seconds + 2)
    notes = Schedules(store.link, APP).history(None, 100_000)
    _print("ticks, idle", [note.late or 0 for note in notes])
    _print("delayed jobs, idle", [_late(store, n, at) for n, at in enumerate(due)])


def overdue(bench: Stand, size: Size) -> None:
    """Print how many overdue jobs three clocks promote in a second."""
    store = _store(bench)
    now = time.time()
    _enqueue(store, [now - 1] * size.overdue)
    with _clocks(bench, 3):
        moved = _counted(lambda: int(bench.client.llen("rq:queue:delayed")))
        began = _first(moved, 1)
        done = _first(moved, size.overdue)
    print(f"{size.overdue} overdue jobs: {size.overdue / (done - began):.0f} a second")


def midnight(bench: Stand, size: Size) -> None:
    """Print when the last of many schedules at one instant has been queued."""
    store = _store(bench)
    _declare(store, size.schedules, Rule("cron", "* * * * *"))
    began = time.monotonic()
    _enqueue(store, [None] * size.schedules)
    many = time.monotonic() - began
    bench.client.config_set("slowlog-log-slower-than", 1000)
    bench.client.config_set("slowlog-max-len", 10_000)
    with _clocks(bench, 3):
        bench.client.slowlog_reset()
        ticked = _counted(lambda: int(bench.client.xlen(f"flow:clock:{APP}:ledger")))
        _first(ticked, size.schedules * 9 // 10)
        threading.Event().wait(1 + many)
    notes = Schedules(store.link, APP).history(None, size.schedules)
    late = [note.late or 0 for note in notes]
    calls = [
        one["duration"] / 1000
        for one in bench.client.slowlog_get(10_000)
        if one["command"].startswith(b"EVALSHA")
    ]
    print(
        f"{size.schedules} schedules at one instant: the last after {max(late)} ms, "
        f"{max(late) / many / 1000:.2f} of what enqueue_many takes "
        f"({many * 1000:.0f} ms); longest script call {max(calls, default=0):.1f} ms; "
        f"{bench.client.get(f'flow:clock:{APP}:epoch').decode()} leaders"
    )


def kills(bench: Stand, size: Size) -> None:
    """Print the lateness of ticks while leaders are killed or end."""
    for number, name in ((signal.SIGKILL, "kill -9"), (signal.SIGTERM, "SIGTERM")):
        bench.client.flushall()
        store = _store(bench)
        with _clocks(bench, size.kills + 2) as clocks:
            _declare(store, 1, Rule("every", "1"))
            for _ in range(size.kills):
                threading.Event().wait(1.3)
                leader = Timetable(store.link, APP).leader()
                for clock in clocks:
                    if leader.endswith(f".{clock.pid}"):
                        clock.send_signal(number)
            threading.Event().wait(2)
        notes = Schedules(store.link, APP).history(None, 100_000)
        _print(f"ticks, {size.kills} x {name}", [note.late or 0 for note in notes])


def _store(bench: Stand) -> Store:
    (bench.folder / f"{APP}.py").write_text(SOURCE)
    return Store(Address(bench.url, "the bench"))


def _declare(store: Store, count: int, rule: Rule) -> None:
    record = JobRecord("none", Invocation(f"{APP}.beat"), "default")
    timetable = Timetable(store.link, APP)
    now = timetable.time()
    policy = Policy(catch_up="all")
    made = [entry(f"beat-{n}", rule, policy, record, now) for n in range(count)]
    timetable.declare(made, "dynamic")


def _delay(store: Store, count: int, over: float) -> list[float]:
    begin = time.time() + 1
    due = [begin + over * n / count for n in range(count)]
    _enqueue(store, due)
    return due


def _enqueue(store: Store, due: Sequence[float] | Sequence[None]) -> None:
    call = Invocation(f"{APP}.beat")
    store.enqueue(
        [JobRecord(f"job-{n}", call, "delayed", due=at) for n, at in enumerate(due)]
    )


def _late(store: Store, number: int, due: float) -> float:
    """Return how many ms after its time a delayed job was queued."""
    raw = store.link.command("HGET", f"rq:job:job-{number}", "enqueued_at")
    queued = datetime.fromisoformat(raw.decode())
    return (queued.timestamp() - due) * 1000


@contextlib.contextmanager
def _clocks(
    bench: Stand, count: int
) -> Generator[list[subprocess.Popen[bytes]], None, None]:
    command = [sys.executable, "-m", "flow", "clock", "--app", APP]
    environment = {**os.environ, "REDIS_URL": bench.url}
    running = [
        subprocess.Popen(
            command, cwd=bench.folder, env=environment, stderr=subprocess.DEVNULL
        )
        for _ in range(count)
    ]
    try:
        timetable = Timetable(_store(bench).link, APP)
        _first(_counted(lambda: bool(timetable.leader())), least=1)
        yield running
    finally:
        for clock in running:
            clock.kill()
            clock.wait()


def _counted(count: Callable[[], int]) -> Generator[tuple[float, int], None, None]:
    while True:
        yield time.monotonic(), count()
        threading.Event().wait(0.001)


def _first(found: Generator[tuple[float, int], None, None], least: int) -> float:
    return next(at for at, count in found if count >= least)


def _print(what: str, late: Sequence[float]) -> None:
    ranked = sorted(late)
    half, most = ranked[len(ranked) // 2], ranked[len(ranked) * 99 // 100]
    print(LATENESS.format(what=what, half=half, most=most, worst=ranked[-1]))


if __name__ == "__main__":
    main()
