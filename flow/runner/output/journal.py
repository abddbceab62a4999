"""The session's log: what every process wrote, with the time, in rotated files.

A line is ``2026-11-23T10:00:00.123456+00:00 app[web.1]: text``, as Heroku writes it.
A disk that is full stops the log, never the session.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from flow.runner.output.lines import Lines
from flow.runner.output.prefix import OWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

NAME = "flow.log"
SIZE = 10 << 20  # bytes of a file before the next one is begun
KEPT = 5  # files besides the one that is written
PAUSE = 30.0  # seconds before a log that failed is tried again


class Journal:
    """The log files of a project.

    Args:
        folder: where they are; made if it is missing.
        now: the time, for the lines.
        clock: monotonic seconds.
        report: is told once when the log cannot be written.
        size: bytes of a file before the next one is begun.
    """

    def __init__(
        self,
        folder: Path,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        report: Callable[[str], None],
        size: int = SIZE,
    ) -> None:
        """Open nothing yet."""
        self._folder, self._now, self._clock = folder, now, clock
        self._report, self._limit = report, size
        self._lines: dict[str, Lines] = {}
        self._file = -1
        self._size = 0
        self._again = 0.0  # when to try again after a failure
        self.count = 0  # how often something was written

    def feed(self, name: str, data: bytes) -> None:
        """Write the lines that are finished."""
        lines = self._lines.get(name) or self._open(name)
        self._write(lines.feed(data) + lines.cut())

    def note(self, dyno: str, text: str) -> None:
        """Write a line of flow's own about a dyno: ``flow[web.1]: State changed``."""
        time = self._now().isoformat(timespec="microseconds")
        self._write(f"{time} flow[{dyno}]: {text}\n".encode())

    def finish(self, name: str) -> None:
        """Write what a process left unfinished, as a line."""
        if lines := self._lines.get(name):
            self._write(lines.finish() + lines.cut())

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self, name: str) -> Lines:
        source = "flow" if name == OWN else "app"
        label = f" {source}[{name}]: "

        def prefix() -> bytes:
            return f"{self._now().isoformat(timespec='microseconds')}{label}".encode()

        self._lines[name] = Lines(prefix)
        return self._lines[name]

    def _write(self, data: bytes) -> None:
        if not data or self._clock() < self._again:
            return
        try:
            if self._file < 0 or self._size > self._limit:
                self._turn_over()
            # Half a line on a disk that is just full is no reason to stop, either.
            self._size += os.write(self._file, data)
            self.count += 1
            self._again = 0.0
        except OSError as error:
            self.close()
            first, self._again = not self._again, self._clock() + PAUSE
            if first:
                self._report(f"no log is written: {error.strerror}; trying again later")

    def _turn_over(self) -> None:
        path = self._folder / NAME
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.close()
        if self._size > self._limit:
            for older, newer in reversed(
                list(zip(names(KEPT)[1:], names(KEPT), strict=False))
            ):
                with contextlib.suppress(FileNotFoundError):
                    (self._folder / newer).replace(self._folder / older)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        self._size = os.fstat(self._file).st_size


def names(kept: int = KEPT) -> list[str]:
    """Return the names of the log files, the newest first."""
    return [NAME, *(f"{NAME}.{number}" for number in range(1, kept + 1))]


def tail(folder: Path, wanted: int, accept: Callable[[bytes], bool]) -> list[bytes]:
    """Return the last lines that are accepted, the oldest first.

    Args:
        folder: where the log files are.
        wanted: how many lines at most.
        accept: whether a line counts.
    """
    found: list[bytes] = []
    for line in _backwards(folder):
        if len(found) == wanted:
            break
        if accept(line):
            found.append(line)
    return found[::-1]


def _backwards(folder: Path) -> Iterator[bytes]:
    for name in names():
        try:
            text = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        yield from reversed(text.splitlines(keepends=True))
