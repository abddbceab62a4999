"""flow start beside honcho: lines a second, and CPU for each line.

    python benchmarks/runner.py [--lines 300000]

honcho is measured if it is installed (pip install honcho); each runner is given the
same Procfile of three writers, and its output goes to a pipe that is read at once.
The CPU is the runner's own, without that of the writers.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
WRITERS = 3
LINES = 300_000
HONCHO = "honcho start"
# Each tells at its end what CPU it has used, so that it can be taken away.
WRITER = """
import os, resource, sys
count = int(sys.argv[1])
text = b"".join(b"%07d %s\\n" % (i, b"x" * 91) for i in range(1000))
for _ in range(count // 1000):
    view = memoryview(text)
    while view:
        view = view[os.write(1, view):]
used = resource.getrusage(resource.RUSAGE_SELF)
os.write(1, b"CPU %f\\n" % (used.ru_utime + used.ru_stime))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to.

    Args:
        lines: how many came through.
        seconds: from start to end.
        cpu: seconds that the runner used.
    """

    lines: int
    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Passed:
    """What the runs of one runner came to.

    Args:
        speed: lines a second, median.
        cost: microseconds of CPU a line, median.
        lost: lines, at worst.
    """

    speed: float
    cost: float
    lost: int


def contenders() -> dict[str, list[str]]:
    """Return the commands of the runners that are here."""
    flow = [sys.executable, "-c", "from flow.cli import main; main()", "start"]
    found = {"flow start": flow, "flow start --no-log": [*flow, "--no-log"]}
    if honcho := shutil.which("honcho") or shutil.which(
        "honcho", path=str(Path(sys.executable).parent)
    ):
        found[HONCHO] = [honcho, "start"]
    return found


def measure(command: list[str], lines: int) -> Run:
    """Run one runner once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "writer.py").write_text(WRITER)
        # The runners stop all when one ends: each waits until all have written.
        # Without the folder, nobody measures any more.
        ended = "$(wc -l < ended || echo 3)"
        gate = f"echo done >> ended; until [ {ended} = 3 ]; do sleep 0.02; done"
        one = f"{sys.executable} writer.py {lines // WRITERS}; {gate}"
        types = "abc"[:WRITERS]
        (folder / "Procfile").write_text("".join(f"{t}: {one}\n" for t in types))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    writers = sum(map(float, re.findall(rb"CPU ([\d.]+)", done.stdout)))
    return Run(len(re.findall(rb"\d{7} x{91}\n", done.stdout)), seconds, cpu - writers)


def compare(lines: int, rounds: int, tell: Callable[[str], None]) -> dict[str, Passed]:
    """Run all runners, in turn.

    Args:
        lines: of a round; a multiple of 3000.
        rounds: of each.
        tell: is given what is being done.
    """
    known = contenders()
    found: dict[str, list[Run]] = {name: [] for name in known}
    for number in range(1, rounds + 1):
        for name, command in known.items():
            tell(f"runner: {name}, round {number} of {rounds}")
            found[name].append(measure(command, lines))
    return {name: _passed(runs, lines) for name, runs in found.items()}


def _passed(runs: list[Run], lines: int) -> Passed:
    return Passed(
        statistics.median(run.lines / run.seconds for run in runs),
        statistics.median(run.cpu / lines * 1e6 for run in runs),
        max(lines - run.lines for run in runs),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    lines = asked.lines // (WRITERS * 1000) * WRITERS * 1000
    found = compare(lines, asked.rounds, lambda what: print(what, file=sys.stderr))
    print(f"{lines} lines of 100 bytes, median of {asked.rounds} rounds\n")
    print(f"{'runner':22} {'lines/s':>10} {'CPU us a line':>14} {'lost':>8}")
    for name, one in found.items():
        print(f"{name:22} {one.speed:10,.0f} {one.cost:14.2f} {one.lost:8}")


if __name__ == "__main__":
    main()
