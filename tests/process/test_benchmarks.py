"""The benchmarks run, count what they should, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from benchmarks.contenders import CONTENDERS
from benchmarks.medians import percentile
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RUN = (sys.executable, str(ROOT / "benchmarks" / "run.py"), "--quick")
TIMEOUT = 240.0  # seconds: only a hang may take so long


def test_a_quick_run_measures_every_contender(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    ended = subprocess.run(
        [*RUN, "--json", str(figures)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    rows = [
        line.split("|")[1].strip() for line in ended.stdout.splitlines() if "|" in line
    ]
    names = [one.name for one in CONTENDERS]
    assert [row for row in rows if row in names][: 2 * len(names)] == names * 2
    found = json.loads(figures.read_text())
    flow, rq = (
        next(one for one in found["drain"] if one["name"] == name)
        for name in ("flow", "rq worker")
    )
    # RQ's worker makes some twenty round trips a job; flow at most one.
    assert flow["trips"] < 3 < rq["trips"]
    assert 3 < flow["commands"] < rq["commands"]
    assert min(one["seconds"] for one in found["drain"]) > 0
    for memory in found["memory"].values():
        assert 0 < memory["payload"] < memory["waiting"] < memory["finished"]
    for latency in found["latency"].values():
        assert 0 < latency["result"] <= latency["result99"]
    for late in found["urgent"].values():
        assert 0 < late["result"] <= late["result99"]
    live = found["live"]
    assert live["start"] > 0
    assert live["process"] > 1e6
    assert live["connections"] == 2 + 2
    assert min(live["coroutines"], live["threads"]) >= 0.1
    for enqueued in found["enqueue"].values():
        assert enqueued["seconds"] > 0
        assert enqueued["trips"] > 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_ended_leaves_no_process(
    number: signal.Signals, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [*RUN, "--only", "latency"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        try:
            wait_until(
                lambda: any("worker" in words for words in _living(tmp_path)),
                timeout=60,
                waiting_for="a contender at work",
            )
        finally:
            run.send_signal(number)
    wait_until(
        lambda: not list(_living(tmp_path)),
        timeout=60,
        waiting_for="the end of the contenders and of the server",
    )
    if number == signal.SIGTERM:
        assert list(tmp_path.glob("flow-bench-*")) == []


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(200, 0, -1)]
    assert percentile(values, 50) == 100
    assert percentile(values, 99) == 198
    assert percentile([7.0], 99) == 7


def _living(folder: Path) -> Iterator[list[str]]:
    """Give the command line of every process that works in or on ``folder``."""
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words: list[str] = process.info["cmdline"] or []
        places = [*words, process.info["cwd"] or ""]
        if any(str(folder) in place for place in places):
            yield words
