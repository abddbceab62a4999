"""Ctrl-Z: it freezes neither half of a session, nor what that runs."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psutil

from tests.runner.started import Started, Terminal

if TYPE_CHECKING:
    from pathlib import Path

SAID = b"Ctrl-Z stops nothing here"
TALKS = "echo ready; read line < go; echo went on; sleep $NAP"


def test_a_ctrl_z_in_the_terminal_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: mkfifo go; {TALKS}\n")
    with Terminal(tmp_path, "start", "--grace", "0.5") as terminal:
        terminal.wait_for(b"ready")
        terminal.press(b"\x1a")
        terminal.wait_for(SAID)
        (tmp_path / "go").write_text("go\n")
        terminal.wait_for(b"went on")
        terminal.press(b"\x03")
        assert terminal.end() == 130


def test_the_signal_to_both_halves_freezes_neither(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: mkfifo go; {TALKS}\n")
    with Started(tmp_path, "start", "--grace", "0.5") as started:
        started.wait_for(b"ready")
        started.process.send_signal(signal.SIGTSTP)
        started.session_half().send_signal(signal.SIGTSTP)
        started.wait_for(SAID)
        guard = psutil.Process(started.process.pid)
        assert guard.status() != psutil.STATUS_STOPPED
        (tmp_path / "go").write_text("go\n")
        started.wait_for(b"went on")
        started.process.terminate()
        assert started.end() == 0
