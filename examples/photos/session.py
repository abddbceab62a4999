"""One ``flow start``, run as a child and stopped with all that belongs to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType

KEPT = 40  # lines of the log
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The demo is about flow's own server and this folder, whatever else is configured.
NOT_FOR_THE_DEMO = ("REDIS_URL", "FLOW_APP", "PHOTOS_MEDIA", "PHOTOS_HOSTS")


class Failed(Exception):
    """The demo cannot go on; the message says why."""


class Session:
    """Runs ``flow start`` in a folder for as long as the ``with`` block lasts.

    Args:
        project: the folder of the Procfile.
        port: for the web process.
        settings: more environment.
    """

    def __init__(self, project: Path, port: int, settings: dict[str, str]) -> None:
        """Start it."""
        environ = {k: v for k, v in os.environ.items() if k not in NOT_FOR_THE_DEMO}
        # The Procfile's commands are those beside this Python.
        places = [str(Path(sys.executable).parent), environ.get("PATH", os.defpath)]
        environ |= settings | {"PATH": os.pathsep.join(places)}
        if sys.stdout.isatty():
            environ.setdefault("FORCE_COLOR", "1")  # it cannot see the terminal itself
        flow = shutil.which("flow", path=environ["PATH"])
        if flow is None:
            raise Failed("the command flow is missing: pip install flowjobs[embedded]")
        self.log: deque[bytes] = deque(maxlen=KEPT)
        self._flow = subprocess.Popen(  # noqa: S603 - our own command, no outside input
            [flow, "start", "-p", str(port)],
            cwd=project,
            env=environ,
            # A pipe, for the end of the log; and should we be killed, it breaks,
            # which ends flow start too.
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C reaches it once, from here, not twice.
            process_group=0,
        )
        self._relay = threading.Thread(target=self._show, daemon=True)
        self._relay.start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything and wait for it; a second Ctrl-C is passed on."""
        for number in STOPPING:
            signal.signal(number, self._interrupt)
        self._interrupt()
        self._flow.wait()
        # Not for ever: whoever still holds the pipe is not worth waiting for.
        self._relay.join(timeout=5)
        if self._flow.stdout and not self._relay.is_alive():
            self._flow.stdout.close()

    def pause(self, seconds: float | None = None) -> None:
        """Wait a moment, or for ever; raises Failed if flow start ends meanwhile."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._flow.wait(seconds)
            raise Failed(f"flow start has ended by itself, with exit code {code}")

    def _interrupt(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        if self._flow.poll() is None:
            self._flow.send_signal(signal.SIGINT)

    def _show(self) -> None:
        """Pass the output on, line by line, and keep the end of it."""
        for line in self._flow.stdout or ():
            self.log.append(line)
            # Our own reader may go; flow start must never block on us.
            with contextlib.suppress(OSError):
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
