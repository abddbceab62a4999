"""The tables, in Markdown that a terminal shows as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.runner import HONCHO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.burst import Burst
    from benchmarks.clock import Spread
    from benchmarks.drain import Drained
    from benchmarks.enqueue import Enqueued
    from benchmarks.latency import Latency
    from benchmarks.live import Live
    from benchmarks.memory import Memory
    from benchmarks.runner import Passed

UNSURE = "?"  # the difference from an empty burst was lost in the noise


def drains(found: Sequence[Drained]) -> str:
    """Return speed and cost of each contender, with flow's as the measure."""
    flow = found[0]
    rows = [
        (
            one.name,
            _times(one.seconds, flow.seconds),
            _times(one.cpu, flow.cpu),
            _per_second(one.seconds),
            *(_positive(cost) for cost in (one.cpu, one.workers, one.server)),
            f"{one.commands:.1f}",
            f"{one.trips:.2f}",
            f"{one.jobs}",
        )
        for one in found
    ]
    head = "drain | time a job, flow = 1 | CPU a job, flow = 1 | jobs/s | CPU us/job | "
    return _table(head + "of workers | of server | commands | round trips | jobs", rows)


def starts(found: Sequence[tuple[str, Burst]]) -> str:
    """Return what an empty burst took, which is left out of all else."""
    rows = [
        (name, f"{one.wall:.2f} s", f"{one.workers:.2f} s", f"{one.trips:.0f}")
        for name, one in found
    ]
    return _table("empty burst | from start to end | CPU | round trips", rows)


def enqueues(found: dict[str, Enqueued]) -> str:
    """Return speed and cost of each client, with RQ's as the measure."""
    rows = [
        (
            name,
            _times(found[name.replace("flow", "rq")].seconds, one.seconds),
            _per_second(one.seconds),
            *(_positive(cost) for cost in (one.client, one.server)),
            f"{one.commands:.1f}",
            f"{one.trips:.2f}",
        )
        for name, one in found.items()
    ]
    head = "enqueue | speed, rq = 1 | jobs/s | CPU us/job of client | of server | "
    return _table(head + "commands | round trips", rows)


def latencies(found: dict[str, Latency]) -> str:
    """Return the milliseconds of each, with RQ's as the measure."""
    slowest = found["rq worker"].result
    rows = [
        (
            name,
            _times(slowest, one.result),
            *(f"{n:.2f}" for n in (one.start, one.start99)),
            *(f"{n:.2f}" for n in (one.result, one.result99, one.worst)),
            f"{one.jobs}",
        )
        for name, one in found.items()
    ]
    head = "idle, milliseconds from enqueue | speed, rq = 1 | to start p50 | p99 | "
    return _table(head + "to result p50 | p99 | worst | jobs", rows)


def memories(found: dict[str, Memory]) -> str:
    """Return the bytes of each, with RQ's as the measure."""
    of_rq = found["rq"].finished
    rows = [
        (
            name,
            f"{one.finished / of_rq:.2f}",
            *(f"{n:.0f}" for n in (one.waiting, one.finished, one.payload)),
        )
        for name, one in found.items()
    ]
    head = "bytes a job | finished, rq = 1 | waiting | finished | its payload"
    return _table(head, rows)


def spreads(found: dict[str, Spread]) -> str:
    """Return the milliseconds of the clock."""
    rows = [
        (name, *(f"{n:.1f}" for n in (one.half, one.most, one.worst)), f"{one.count:,}")
        for name, one in found.items()
    ]
    return _table("clock, milliseconds | p50 | p99 | worst | of", rows)


def runners(found: dict[str, Passed], lines: int) -> str:
    """Return speed and cost of each runner, with honcho's as the measure."""
    slowest = found.get(HONCHO)
    rows = [
        (
            name,
            _times(one.speed, slowest.speed) if slowest else UNSURE,
            f"{one.speed:,.0f}",
            f"{one.cost:.2f}",
            f"{one.lost}",
        )
        for name, one in found.items()
    ]
    head = f"{lines:,} lines of 100 bytes | speed, honcho = 1 | lines/s | "
    return _table(head + "CPU us a line | lost", rows)


def urgents(found: dict[str, Latency]) -> str:
    """Return the milliseconds of each, with those of idle workers as the measure."""
    idle = found["both idle"].start99
    rows = [
        (
            name,
            _times(one.start99, idle),
            *(f"{n:.2f}" for n in (one.start, one.start99, one.result, one.result99)),
            f"{one.jobs}",
        )
        for name, one in found.items()
    ]
    head = "urgent, milliseconds from enqueue | p99, idle = 1 | to start p50 | p99 | "
    return _table(head + "to result p50 | p99 | jobs", rows)


def lives(found: Live) -> str:
    """Return what a worker that runs on takes."""
    size, megabyte = found.size, 1e6
    rows = [
        ("from `flow worker` to its first job", f"{found.start:.2f} s"),
        ("idle, two processes: of a core", f"{found.cpu:.2f} %"),
        ("the same: commands a second", f"{found.commands:.1f}"),
        ("the same: connections", f"{found.connections}"),
        ("memory of its own, a process", f"{found.process / megabyte:.1f} MB"),
        (f"{size.coroutines} coroutines of 0.1 s at once", f"{found.coroutines:.2f} s"),
        (f"{size.threads} threads of 0.1 s at once", f"{found.threads:.2f} s"),
    ]
    return _table("a worker that runs on | takes", rows)


def _table(head: str, rows: Sequence[Sequence[str]]) -> str:
    titles = [title.strip() for title in head.split("|")]
    columns = list(zip(titles, *rows, strict=True))
    widths = [max(3, *(len(cell) for cell in column)) for column in columns]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(cells, widths) for cells in (titles, rule, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    others = [c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)]
    return f"| {' | '.join([first, *others])} |"


def _times(high: float, low: float) -> str:
    if min(high, low) <= 0:
        return UNSURE
    ratio = high / low
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2f}"  # noqa: PLR2004 - three figures are enough


def _per_second(seconds: float) -> str:
    return f"{1 / seconds:,.0f}" if seconds > 0 else UNSURE


def _positive(number: float) -> str:
    return f"{number:,.0f}" if number > 0 else UNSURE
