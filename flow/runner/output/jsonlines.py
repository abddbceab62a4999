"""The output as JSON: an object for each line, for programs that read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flow.runner.output.lines import LONG, Lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class JsonLines(Lines):
    r"""The output of one process, a line as ``{"time": , "dyno": , "text": }``.

    Bytes that are no UTF-8 are shown as ``\xff``. Nothing is shown before its line
    is finished.

    Args:
        name: the process.
        now: the time.
    """

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        """Begin at the start of a line."""
        super().__init__(lambda: b"")
        self._name, self._now = name, now

    def feed(self, data: bytes) -> bytes:
        """Return the lines that ``data`` finishes, as JSON."""
        end = data.rfind(b"\n")
        if end < 0:
            self._hold(data)
            return self.finish() if self._size > LONG else b""
        body = b"".join((*self._held, data[:end]))
        self._held, self._size = [], 0
        self._hold(data[end + 1 :])
        return self._objects(body)

    def show(self) -> bytes:
        """Return nothing: half an object is none."""
        return b""

    def finish(self) -> bytes:
        """Return the unfinished line as an object."""
        if not self._size:
            return b""
        body = b"".join(self._held)
        self._held, self._size = [], 0
        return self._objects(body)

    def _objects(self, body: bytes) -> bytes:
        time = self._now().isoformat(timespec="milliseconds")
        text = body.decode("utf-8", "backslashreplace")
        return "".join(
            json.dumps({"time": time, "dyno": self._name, "text": line}) + "\n"
            for line in text.split("\n")
        ).encode()
