"""Reads the log as it grows, over the change from one file to the next."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flow.runner.output.journal import NAME, names

if TYPE_CHECKING:
    from pathlib import Path


class Follower:
    """The end of the log.

    Args:
        folder: where the log files are.
    """

    def __init__(self, folder: Path) -> None:
        """Begin at the end of what is there now."""
        self._folder = folder
        self._file = -1
        self._half = b""
        if (folder / NAME).exists():
            self._file = os.open(folder / NAME, os.O_RDONLY)
            os.lseek(self._file, 0, os.SEEK_END)

    def lines(self) -> list[bytes]:
        """Return the lines that were written since the last call."""
        data = self._half + self._rest()
        for path in self._newer():
            self.close()
            self._file = os.open(path, os.O_RDONLY)
            data += self._rest()
        whole, newline, self._half = data.rpartition(b"\n")
        return (whole + newline).splitlines(keepends=True)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _rest(self) -> bytes:
        if self._file < 0:
            return b""
        parts = list(iter(lambda: os.read(self._file, 1 << 20), b""))
        return b"".join(parts)

    def _newer(self) -> list[Path]:
        """Return the files after the one that is open, the oldest first."""
        own = os.fstat(self._file).st_ino if self._file >= 0 else -1
        found: list[Path] = []
        for path in map(self._folder.joinpath, names()):
            if not path.exists() or path.stat().st_ino == own:
                break
            found.append(path)
        return found[::-1]
