"""The limits of a process type, and what Heroku would write of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from flow.errors import ConfigError
from flow.runner.declared.formation import Instance
from flow.runner.declared.kind import Kind, kinds
from flow.runner.declared.procfile import Procfile
from flow.runner.output.prefix import Style
from flow.runner.processes.dyno import NEVER, Dyno
from flow.runner.processes.limits import EVERY, Breach, Limits
from flow.runner.processes.process import Process
from flow.runner.session.plan import Plan
from flow.runner.world import World, local_time
from tests.runner.asking import dynos, flow, wait_for_dyno
from tests.runner.started import Started

if TYPE_CHECKING:
    from pathlib import Path

SLEEP = "sleep $NAP"
MEGA = 1 << 20
# Fills as many megabytes as it is told to, in a child, and says so.
HOG = """
import os, sys, signal
if os.fork() == 0:
    kept = bytearray(os.urandom(1 << 20) * int(sys.argv[1]))
    print("full", flush=True)
signal.pause()
"""


class Screen:
    """Takes what flow says of a dyno."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def report(self, _dyno: str, text: str) -> None:
        self.lines.append(text)

    def note(self, _dyno: str, text: str) -> None:
        self.lines.append(text)


class Watched:
    """One dyno, its memory and its time, set by the test."""

    def __init__(self, tmp_path: Path, kind: Kind) -> None:
        self.now, self.used, self.screen = 1000.0, 0, Screen()
        plan = Plan(tmp_path, {}, Procfile("x", ()), 5001, (), Style())
        self.dyno = Dyno(Instance("web", 1, "x", 5001), kind, plan, local_time())
        self.dyno.process = Process("web.1", "x", {}, tmp_path)
        world = World(clock=lambda: self.now, chance=lambda: 1.0)
        self.limits = Limits(self.screen, world, lambda _pid: self.used)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - all of a printer that is used
        self.limits.begin(self.dyno)

    def after(self, seconds: float) -> Breach | None:
        self.now += seconds
        return self.limits.turn(self.dyno)


def test_memory_over_the_quota_is_warned_of_as_on_heroku(tmp_path: Path) -> None:
    one = Watched(tmp_path, Kind(memory=100 * MEGA))
    one.used = 100 * MEGA
    assert one.after(EVERY) is None
    assert one.screen.lines == []
    one.used = 101 * MEGA
    assert one.after(EVERY) is None
    warned = ["Process running mem=101M(101.0%)", "Error R14 (Memory quota exceeded)"]
    assert one.screen.lines == warned
    assert one.after(EVERY) is None
    assert one.screen.lines == warned
    assert one.after(20) is None
    assert one.screen.lines == warned * 2


def test_memory_far_over_the_quota_is_the_end(tmp_path: Path) -> None:
    one = Watched(tmp_path, Kind(memory=100 * MEGA))
    one.used = 200 * MEGA
    assert one.after(EVERY / 2) is None
    assert one.after(EVERY / 2) is Breach.KILL
    assert one.screen.lines == [
        "Process running mem=200M(200.0%)",
        "Error R15 (Memory quota vastly exceeded)",
        "Stopping process with SIGKILL",
    ]


def test_a_dyno_is_cycled_after_a_day_and_up_to_216_minutes(tmp_path: Path) -> None:
    one = Watched(tmp_path, Kind(cycle=24))
    assert one.after(24 * 3600 + 215 * 60) is None
    assert one.after(61) is Breach.CYCLE
    assert one.screen.lines == ["Cycling"]


def test_without_a_limit_nothing_is_looked_at(tmp_path: Path) -> None:
    one = Watched(tmp_path, Kind())
    assert one.limits.next_moment(one.dyno) == NEVER


def test_a_process_that_uses_far_too_much_is_killed_and_started_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "hog.py").write_text(HOG)
    (tmp_path / "Procfile").write_text(
        f"a: test -e once && {{ echo again; {SLEEP}; }}; touch once;"
        f" {sys.executable} hog.py 150\nb: {SLEEP}\n"
    )
    (tmp_path / "flow.toml").write_text('[processes.a]\nmemory = "64MB"\n')
    # The default: a process that ends by itself would end the session.
    with Started(tmp_path, "start", "--grace", "30") as started:
        started.wait_for(b"a.1  | full")
        started.wait_for(b"a.1: Error R15 (Memory quota vastly exceeded)")
        started.wait_for(b"a.1  | again")
        assert wait_for_dyno(tmp_path, "a.1", "up")["restarts"] == 1
        assert dynos(tmp_path)["b.1"]["restarts"] == 0
        log = flow(tmp_path, "logs", "--source", "flow", "-d", "a")
        assert "flow[a.1]: Error R15 (Memory quota vastly exceeded)" in log
        assert "flow[a.1]: Stopping process with SIGKILL" in log
        assert "flow[a.1]: Process exited with status 137" in log
        assert "flow[a.1]: State changed from stopping to crashed" in log
        assert "R12" not in log
        assert "app[" not in log


def test_a_process_is_started_anew_when_it_is_old(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo up; {SLEEP}\n")
    (tmp_path / "flow.toml").write_text("[processes.a]\ncycle = 0.0001\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1: Cycling")
        started.wait_for(b"a.1  | up", times=2)


@pytest.mark.parametrize("way", ["ps:restart", "stop"])
def test_what_does_not_end_in_its_grace_is_an_exit_timeout(
    tmp_path: Path, way: str
) -> None:
    (tmp_path / "Procfile").write_text(f"a: trap '' TERM; echo up; {SLEEP}; {SLEEP}\n")
    with Started(tmp_path, "start", "--grace", "0.5") as started:
        started.wait_for(b"a.1  | up")
        flow(tmp_path, way)
        started.wait_for(
            b"a.1: Error R12 (Exit timeout) -> At least one process failed to exit"
            b" within 0.5 seconds of SIGTERM"
        )
    log = flow(tmp_path, "logs", "-s", "flow", "-d", "a.1")
    assert "flow[a.1]: Stopping all processes with SIGTERM\n" in log
    assert log.count("flow[a.1]: Error R12 (Exit timeout)") == 1


def test_the_changes_of_state_are_in_the_log_only(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo on; {SLEEP}\n")
    (tmp_path / "flow.toml").write_text('[processes.a]\nready = "log:on"\n')
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1 is up")
        flow(tmp_path, "stop")
        assert started.end() == 0
        assert b"State changed" not in started.output
    log = flow(tmp_path, "logs", "-s", "flow", "-d", "a.1").splitlines()
    assert [line.partition("flow[a.1]: ")[2] for line in log] == [
        f"Starting process with command `echo on; {SLEEP}`",
        "State changed from down to starting",
        "State changed from starting to up",
        "Stopping all processes with SIGTERM",
        "Process exited with status 143",
        "State changed from up to down",
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"memory": 512}, "memory must be a size such as 512MB or 1GB, not 512"),
        ({"memory": "0MB"}, "memory must be a size"),
        ({"memory": "512"}, "memory must be a size"),
        ({"cycle": 0}, "cycle must be a number of hours"),
        ({"cycle": "daily"}, "cycle must be a number of hours"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(
    table: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        kinds({"a": table}, ["a"], ())


@pytest.mark.parametrize(
    ("text", "size"),
    [("512MB", 512 * MEGA), ("512M", 512 * MEGA), ("2 GB", 2048 * MEGA)],
)
def test_a_size_is_read_as_heroku_writes_it(text: str, size: int) -> None:
    assert kinds({"a": {"memory": text}}, ["a"], ())["a"].memory == size
