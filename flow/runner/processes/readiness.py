"""Finds out when a process is up: by its port, a request, a command or its output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flow.runner.processes.inquiry import Inquiry
from flow.runner.processes.process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flow.runner.declared.formation import Instance
    from flow.runner.watcher import Wanted

EVERY = 0.2  # seconds between two tries
PATIENCE = 3.0  # seconds that one try may take
SOON = 0.02  # seconds until the next one, if another process has answered
LINE = 64 << 10  # bytes of an unfinished line that are looked at
NEVER = float("inf")


class Readiness:
    """Whether one process is up.

    Args:
        ready: what is declared, as in ``Kind.ready``.
        instance: what runs.
        only: the pid of the process that must have answered, where another one may
            have the same port; 0: whichever does.
    """

    def __init__(self, ready: str, instance: Instance, only: int = 0) -> None:
        """Ask nothing yet."""
        self._only = only
        self._way, _, self._rest = ready.partition(":")
        self._port = instance.port
        self._inquiry: Inquiry | None = None
        self._line = b""
        self._pattern = re.compile(self._rest.encode()) if self._way == "log" else None
        self.next = 0.0 if self._way in ("port", "http") else NEVER
        self.done = False

    def question(
        self, instance: Instance, environ: Mapping[str, str], folder: Path
    ) -> Process | None:
        """Return the process whose end with 0 means that it is up, not started yet."""
        if self._way != "command":
            return None
        text = f"until {{ {self._rest}\n}} >/dev/null 2>&1; do sleep {EVERY}; done"
        return Process(f"{instance.name} ready", text, environ, folder)

    def hear(self, data: bytes) -> None:
        """Look at what the process wrote."""
        if self._pattern and not self.done:
            *lines, rest = (self._line + data).split(b"\n")
            self._line = rest[-LINE:]
            self.done = any(map(self._pattern.search, (*lines, self._line)))

    def turn(self, now: float) -> None:
        """Try again, if it is time."""
        if now >= self.next and not self.done:
            self.close()
            self._inquiry = Inquiry(self._port, self._rest, self._only)
            self.next = now + (PATIENCE if self._inquiry.open else EVERY)
            self._conclude(now)

    def wanted(self) -> dict[int, Wanted]:
        """Return what to wait for."""
        return self._inquiry.wanted() if self._inquiry else {}

    def look(self, now: float) -> None:
        """Draw the conclusion, if the answer has come."""
        if self._inquiry:
            self._inquiry.look()
            self._conclude(now)

    @property
    def looks_again(self) -> bool:
        """Whether it must look soon, as nothing will wake it."""
        return self._inquiry is not None and self._inquiry.unclaimed

    def close(self) -> None:
        """Hang up."""
        if self._inquiry:
            self._inquiry.close()
            self._inquiry = None

    def _conclude(self, now: float) -> None:
        if self._inquiry and not self._inquiry.open:
            self.done = self._inquiry.good
            # The next one to accept may be the right one, if there are several.
            again = SOON if self._inquiry.misled else EVERY
            self.next = min(self.next, now + again)
            self._inquiry = None
