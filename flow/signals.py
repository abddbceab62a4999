"""Signals as something to wait for, beside sockets and pipes."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
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


def _wake(_signal: int, _frame: FrameType | None) -> None:
    """Do nothing: the wake-up descriptor has the number."""
