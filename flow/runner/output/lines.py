"""Cuts what a process writes into lines and puts its prefix before each.

Bytes pass as they are. An unfinished line is held back, so that lines of two
processes never mix, until it is finished, long, or shown as a prompt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 4 << 20  # bytes of an unfinished line that are held at most


class Lines:
    """The output of one process on its way to the screen.

    Args:
        prefix: returns what goes before a line now.
    """

    def __init__(self, prefix: Callable[[], bytes]) -> None:
        """Begin at the start of a line."""
        self._prefix = prefix
        self._held: list[bytes] = []
        self._size = 0
        self._cut = False  # the line was ended for it; its own end may follow
        self.open = False  # an unfinished line has been shown

    @property
    def waiting(self) -> bool:
        """Whether an unfinished line is held back."""
        return self._size > 0

    def feed(self, data: bytes) -> bytes:
        """Return the lines that ``data`` finishes, ready to be written."""
        if self._cut and data:
            data, self._cut = data.removeprefix(b"\n"), False
        end = data.rfind(b"\n")
        if end < 0:
            self._hold(data)
            return self.show() if self._size > LONG else b""
        body = b"".join((*self._held, data[:end]))
        self._held, self._size = [], 0
        self._hold(data[end + 1 :])
        prefix = self._prefix()
        text = body.replace(b"\n", b"\n" + prefix) + b"\n"
        start, self.open = (b"" if self.open else prefix), False
        return start + text

    def show(self) -> bytes:
        """Return the unfinished line as far as it goes, leaving it open."""
        if not self._size:
            return b""
        text = (b"" if self.open else self._prefix()) + b"".join(self._held)
        self._held, self._size, self.open = [], 0, True
        return text

    def finish(self) -> bytes:
        """Return the unfinished line, because nothing more will come."""
        return self.show()

    def cut(self) -> bytes:
        """Return what ends the open line, because another one comes between."""
        if not self.open:
            return b""
        self.open, self._cut = False, not self._size
        return b"\n"

    def _hold(self, data: bytes) -> None:
        if data:
            self._held.append(data)
            self._size += len(data)
