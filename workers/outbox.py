"""The outbox: outcomes that are reached and not sent yet, in shared memory.

A process that is killed between the end of a job and the next turn with Redis has not
lost the outcome: its supervisor finds it here, and sends it.
"""

from __future__ import annotations

import marshal
import struct
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mmap

SIZE = 262_144  # bytes of one process's outbox; pages that nobody wrote cost nothing
# Where the unsent part starts and ends, in one write: a kill leaves the old or the new.
SPAN = struct.Struct("=Q")
LENGTH = struct.Struct("=I")

AT_ONCE = 64  # outcomes, and claims, of a turn at most: a script call stays short
Packed = list[Any]  # an outcome as codec.pack_outcome has it
JOB, EXECUTION = 5, 6  # where codec.pack_outcome has the job's id and the execution's


class Outbox:
    """The unsent outcomes of one process, the oldest first.

    Args:
        memory: the worker's shared memory.
        at: where this outbox begins.
    """

    def __init__(self, memory: mmap.mmap, at: int) -> None:
        """Point at the outbox; what is in it stays."""
        self._memory = memory
        self._at = at
        self._first = at + SPAN.size
        self._room = SIZE - SPAN.size
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Have nothing unsent: a new process begins."""
        SPAN.pack_into(self._memory, self._at, 0)

    def put(self, packed: Packed) -> bool:
        """Keep an outcome; return False when there is no room: it must be sent."""
        blob = marshal.dumps(packed)
        with self._lock:
            start, end = self._span()
            after = end + LENGTH.size + len(blob)
            if after > self._room:
                return False
            place = self._first + end
            LENGTH.pack_into(self._memory, place, len(blob))
            self._memory[place + LENGTH.size : self._first + after] = blob
            self._set(start, after)
        return True

    def sent(self, count: int) -> None:
        """Forget the oldest ``count`` outcomes: Redis has them."""
        with self._lock:
            start, end = self._span()
            for _ in range(count):
                start += LENGTH.size + self._length(start)
            self._set(*((0, 0) if start >= end else (start, end)))

    def unsent(self) -> list[Packed]:
        """Return what is kept; of a process that is dead, or stands still."""
        start, end = self._span()
        found: list[Packed] = []
        while start < end:
            place = self._first + start + LENGTH.size
            start += LENGTH.size + self._length(start)
            found.append(marshal.loads(self._memory[place : self._first + start]))  # noqa: S302 - our own child wrote it
        return found

    def _span(self) -> tuple[int, int]:
        both: int = SPAN.unpack_from(self._memory, self._at)[0]
        return both >> 32, both & 0xFFFFFFFF

    def _set(self, start: int, end: int) -> None:
        SPAN.pack_into(self._memory, self._at, start << 32 | end)

    def _length(self, start: int) -> int:
        length: int = LENGTH.unpack_from(self._memory, self._first + start)[0]
        return length
