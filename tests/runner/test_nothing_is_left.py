"""Every way to end a session, against every kind of child that others leave behind."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.runner.started import Started, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLEEP = "sleep $NAP"
CHILDREN = {
    "plain": f"echo ready; {SLEEP}",
    "background": f"{SLEEP} & {SLEEP} & echo ready; wait",
    "own session": f"setsid {SLEEP} & setsid sh -c '{SLEEP} & exit'; echo ready; wait",
    "ignores TERM": f"trap '' TERM; {SLEEP} & echo ready; wait; {SLEEP}",
    "leader goes first": (
        f"(trap '' TERM; exec {SLEEP}) & trap 'exit 0' TERM; echo ready; wait"
    ),
    "stopped": "echo ready; kill -STOP $$",
    "daemon": f"(setsid sh -c \"trap '' TERM HUP; {SLEEP} & wait; {SLEEP}\" &) ; "
    f"echo ready; {SLEEP}",
    "env cleared": f"(env -i setsid {SLEEP} &); echo ready; {SLEEP}",
}


def kill_the_guard(started: Started) -> None:
    started.process.kill()


def kill_the_session(started: Started) -> None:
    started.session_half().kill()


def terminate_both(started: Started) -> None:
    # What timeout(1), Heroku and systemd do: the signal goes to everyone, repeatedly.
    started.session_half().terminate()
    started.process.terminate()
    started.process.terminate()


def send(number: int) -> Callable[[Started], None]:
    return lambda started: started.process.send_signal(number)


ENDS: dict[str, tuple[Callable[[Started], None], int]] = {
    "TERM": (send(signal.SIGTERM), 0),
    "INT": (send(signal.SIGINT), 130),
    "HUP": (send(signal.SIGHUP), 0),
    "QUIT": (send(signal.SIGQUIT), 137),
    "KILL": (kill_the_guard, -signal.SIGKILL),
    "KILL of the other half": (kill_the_session, 137),
    "TERM to both halves": (terminate_both, 0),
}


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize("end", ENDS)
def test_no_process_is_left(tmp_path: Path, child: str, end: str) -> None:
    (tmp_path / "Procfile").write_text(f"a: {CHILDREN[child]}\nb: {SLEEP}\n")
    act, code = ENDS[end]
    with Started(tmp_path, "start", "--grace", "0.5") as started:
        started.wait_for(b"a.1  | ready")
        act(started)
        assert started.end() == code
        started.nothing_left()


@pytest.mark.parametrize("child", CHILDREN)
def test_ctrl_c_in_a_terminal_leaves_no_process(tmp_path: Path, child: str) -> None:
    (tmp_path / "Procfile").write_text(f"a: {CHILDREN[child]}\nb: {SLEEP}\n")
    with Terminal(tmp_path, "start", "--grace", "0.5") as terminal:
        terminal.wait_for(b"ready")
        terminal.press(b"\x03")
        assert terminal.end() == 130
        terminal.nothing_left()


def test_kill_of_the_whole_job_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: {CHILDREN['own session']}\nb: {SLEEP}\n")
    with Started(tmp_path, "start", before=("setsid",)) as started:
        started.wait_for(b"a.1  | ready")
        os.killpg(started.process.pid, signal.SIGKILL)  # kill -9 %1, timeout -s KILL
        assert started.end() == -signal.SIGKILL
        started.nothing_left()


def test_a_stopped_session_leaves_no_process_when_its_guard_is_killed(
    tmp_path: Path,
) -> None:
    (tmp_path / "Procfile").write_text(f"a: {CHILDREN['background']}\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | ready")
        started.session_half().suspend()
        started.process.kill()
        assert started.end() == -signal.SIGKILL
        started.nothing_left()
