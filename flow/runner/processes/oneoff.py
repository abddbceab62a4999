"""Runs one command with the terminal that flow itself was given."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import FrameType

TYPED = (signal.SIGINT, signal.SIGQUIT)  # a terminal sends these to both of us
SENT = (signal.SIGTERM, signal.SIGHUP)


def run(arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> int:
    """Run a program to its end and return its exit code, 128 + signal included.

    Args:
        arguments: the program and its arguments.
        environ: its whole environment.
        folder: its working folder.

    Raises:
        OSError: it cannot be started.
    """
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        if number in TYPED and _has_terminal():
            return
        if not children:
            early.append(number)
        for child in children:
            child.send_signal(number)

    # Handlers, not SIG_IGN: what is ignored would be ignored by the program too.
    before = {number: signal.signal(number, forward) for number in (*TYPED, *SENT)}
    try:
        with subprocess.Popen(arguments, env=dict(environ), cwd=folder) as child:  # noqa: S603 - the command is the user's
            children.append(child)
            # The program may run, and be told to end, before we hear that it does.
            for number in early:
                child.send_signal(number)
            code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _has_terminal() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
