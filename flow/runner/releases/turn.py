"""Whose turn it is: one release at a time, by a lock that ends with its process."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

NOBODY = -1
AGAIN = 0.02  # seconds between two attempts


class Turn:
    """A lock on a file; the kernel gives it back whatever happens to its holder.

    Args:
        path: the file.
        clock: monotonic seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Hold nothing yet."""
        self._path, self._clock = path, clock
        self._descriptor = NOBODY

    @property
    def mine(self) -> bool:
        """Whether it is this one that has the turn."""
        return self._descriptor != NOBODY

    def take(self, patience: float) -> bool:
        """Wait for the turn, at most ``patience`` seconds; return whether it came.

        Raises:
            OSError: the file cannot be opened.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline, pause = self._clock() + patience, threading.Event()
        while not _lock(descriptor, fcntl.LOCK_EX):
            if self._clock() >= deadline:
                os.close(descriptor)
                return False
            pause.wait(AGAIN)
        self._descriptor = descriptor
        return True

    def pass_on(self) -> None:
        """Let the next one have it."""
        descriptor, self._descriptor = self._descriptor, NOBODY
        if descriptor != NOBODY:
            os.close(descriptor)

    @contextmanager
    def nobodys(self) -> Generator[bool]:
        """Tell whether nobody has it; if so, nobody can take it in this block.

        Raises:
            OSError: the file is there and cannot be opened.
        """
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield True
            return
        try:
            yield _lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
