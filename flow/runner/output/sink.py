"""Our standard output, written so that a slow reader never stops the loop."""

from __future__ import annotations

import contextlib
import os
import select
import stat
from collections import deque
from itertools import islice

MOST = 64  # chunks handed over in one write


class Sink:
    """A descriptor to write to; what it does not take at once is kept.

    Setting O_NONBLOCK on the descriptor itself would change the terminal for the
    shell and everyone else, so it is opened a second time. Where that is impossible
    (a socket, another user's pipe, macOS) it is asked before each small write.

    Args:
        descriptor: where to write; it stays open.
    """

    def __init__(self, descriptor: int) -> None:
        """Open it a second time if it is one that can be full."""
        self._own = _reopened(descriptor)
        self._descriptor = descriptor if self._own is None else self._own
        self._careful = self._own is None and not _is_file(descriptor)
        self._kept: deque[memoryview] = deque()
        self._discards = False
        self.size = 0  # bytes that are kept
        self.failure: OSError | None = None  # why nothing can be written any more

    def fileno(self) -> int:
        """Return what to wait for while something is kept."""
        return self._descriptor

    def write(self, data: bytes) -> None:
        """Write what can be written now and keep the rest."""
        if data and self.failure is None and not self._discards:
            self._kept.append(memoryview(data))
            self.size += len(data)
            if len(self._kept) == 1:
                self.flush()

    def discard(self) -> None:
        """Write nothing any more: nobody is there to read it."""
        self.flush()
        self._kept.clear()
        self.size, self._discards = 0, True

    def flush(self) -> None:
        """Write what was kept, as far as it is taken."""
        try:
            while self._kept:
                self._took(self._put())
        except BlockingIOError:
            return
        except OSError as error:
            self.failure = error
            self._kept.clear()
            self.size = 0

    def close(self) -> None:
        """Close what was opened a second time."""
        if self._own is not None:
            os.close(self._own)

    def _put(self) -> int:
        if not self._careful:
            return os.writev(self._descriptor, list(islice(self._kept, MOST)))
        asked = select.poll()
        asked.register(self._descriptor, select.POLLOUT)
        if not asked.poll(0):
            raise BlockingIOError
        return os.write(self._descriptor, self._kept[0][: select.PIPE_BUF])

    def _took(self, count: int) -> None:
        self.size -= count
        while count and count >= len(self._kept[0]):
            count -= len(self._kept.popleft())
        if count:
            self._kept[0] = self._kept[0][count:]


def _is_file(descriptor: int) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    return True  # closed: the write says so


def _reopened(descriptor: int) -> int | None:
    if _is_file(descriptor):
        return None  # a second opening would have a position of its own
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{descriptor}", flags)
    except OSError:
        return None
