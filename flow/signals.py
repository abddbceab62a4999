"""Signals as something to wait for, beside sockets and pipes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from types import FrameType

STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # what asks a role to stop


class Signals:
    """Takes signals of this process; readable when one has come.

    Args:
        numbers: which signals to take.
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        """Take the signals from now on."""
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._old_descriptor = signal.set_wakeup_fd(
            self._writer, warn_on_full_buffer=False
        )
        # Python writes the number to the wake-up descriptor only for handled signals.
        self._old = {number: signal.signal(number, _wake) for number in numbers}

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._reader

    def taken(self) -> list[int]:
        """Return the numbers of the signals that came, in their order."""
        try:
            return list(os.read(self._reader, 4096))
        except BlockingIOError:
            return []

    def forget(self) -> None:
        """Close them after a fork; signals of this process are its own affair."""
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    def close(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._old_descriptor)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)


@contextlib.contextmanager
def ended_by(numbers: Iterable[int]) -> Generator[None]:
    """End this process, and well, if one of the signals comes in this block.

    For what holds nothing yet. A signal that is ignored stays so.
    """
    old = {n: signal.getsignal(n) for n in numbers}
    taken = [n for n, handler in old.items() if handler is not signal.SIG_IGN]
    for number in taken:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, old[number])


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _wake(_signal: int, _frame: FrameType | None) -> None:
    """Do nothing: the wake-up descriptor has the number."""
