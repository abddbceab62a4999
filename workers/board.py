"""The board: shared memory in which a worker's processes show what they do.

One supervisor reads it, also when a process has died without a word: it then knows
which jobs had started and which were only claimed. Each process writes its own part.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from enum import IntEnum
from typing import TYPE_CHECKING

from flow.workers import outbox
from flow.workers.outbox import EXECUTION, Outbox
from flow.workers.unnamed import unnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flow.workers.outbox import Packed

HEADER = 24  # bytes: the last beat (monotonic), two flags, the grace's end (unix)
STOPS, RESTS = 8, 9  # where the flags are
ENDS = 16  # where the end is
COUNTS = 32  # bytes: jobs done, jobs failed, seconds worked, and four flags (below)
WITHDRAWN, STOPPED = 1, 2  # in the last of those: why some may not begin
NUMBER = struct.Struct("=Q")
SHOWN = struct.Struct("=Qd")  # an execution that runs, and the seconds it may
ASKED = 64  # executions of a process that can be asked to end at the same time
SETTLED = 256  # outcomes of a process that its supervisor can send at the same time
COUNTED = struct.Struct("=QQd")
BEAT = struct.Struct("=d")


def number(execution: str) -> int:
    """Return which of its process's executions an id names: what follows the dash."""
    return int(execution.rpartition("-")[2])


class Retirement(IntEnum):
    """Why a process takes nothing new, and a successor its seat; 0 when it stays."""

    NONE = 0
    JOBS = 1
    MEMORY = 2


class Board:
    """The memory of one worker.

    Args:
        processes: how many parts it has.
        slots: jobs at a time in each process.
        descriptor: of the memory, where another process has made it.
    """

    def __init__(
        self, processes: int, slots: int, descriptor: int | None = None
    ) -> None:
        """Make the memory; processes share it by a fork, or by its descriptor."""
        self.slots = slots
        # One place more than slots: for the job that is being loaded.
        # Two before it: how far was claimed, and how far that was withdrawn.
        shown = COUNTS + slots * SHOWN.size + (3 + 2 * ASKED + SETTLED) * NUMBER.size
        self._size = shown + BEAT.size + outbox.SIZE
        self.processes = processes
        size = HEADER + processes * self._size
        self.descriptor = unnamed(size) if descriptor is None else descriptor
        self._memory = mmap.mmap(self.descriptor, size)

    def beaten(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Note that the supervisor has just beaten."""
        BEAT.pack_into(self._memory, 0, monotonic())

    def beat_age(self, monotonic: Callable[[], float] = time.monotonic) -> float:
        """Return the seconds since the supervisor last beat."""
        beaten: float = BEAT.unpack_from(self._memory, 0)[0]
        return monotonic() - beaten

    @property
    def stopping(self) -> bool:
        """Whether the worker is to stop."""
        return self._memory[STOPS] != 0

    def stop(self, ends: float = 0.0) -> None:
        """Tell every process that the worker is to stop.

        Args:
            ends: when what still runs is killed, unix seconds.
        """
        BEAT.pack_into(self._memory, ENDS, ends)
        self._memory[STOPS] = self._memory[RESTS] = 1

    def ends(self) -> float | None:
        """Return when what still runs is killed; None while the worker goes on."""
        if not self.stopping:
            return None
        ends: float = BEAT.unpack_from(self._memory, ENDS)[0]
        return ends

    @property
    def quiet(self) -> bool:
        """Whether nothing new is to be taken: the worker rests, or it stops."""
        return self._memory[RESTS] != 0

    @quiet.setter
    def quiet(self, quiet: bool) -> None:
        self._memory[RESTS] = quiet

    def part(self, index: int) -> Part:
        """Return the part of process number ``index``."""
        return self.part_at(HEADER + index * self._size)

    def part_at(self, at: int) -> Part:
        """Return the part that begins there."""
        return Part(self._memory, at, self.slots)

    def parts(self) -> list[Part]:
        """Return the parts of all processes, also of those that are not there."""
        return [self.part(index) for index in range(self.processes)]

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self.descriptor)


class Part:
    """What one process shows: its counts, and the executions it runs.

    Args:
        memory: the whole board.
        at: where the part begins.
        slots: how many executions it can show.
    """

    def __init__(self, memory: mmap.mmap, at: int, slots: int) -> None:
        """Point at the part."""
        self._memory = memory
        self.at = at
        self._claimed = at + COUNTS
        self._withdrawn = at + COUNTS + NUMBER.size
        self._loading = at + COUNTS + 2 * NUMBER.size
        self._listening = at + COUNTS - 1
        self._retirement = at + COUNTS - 2
        self._vacant = at + COUNTS - 3
        self._barred = at + COUNTS - 4
        first = self._loading + NUMBER.size
        self._all = tuple(first + SHOWN.size * n for n in range(slots))
        self._free = list(self._all)
        self._taken: dict[int, int] = {}
        self._lock = threading.Lock()
        self._first, self._slots = first, slots
        lists = first + SHOWN.size * slots
        self.asked = Numbers(memory, lists)
        self.doubted = Numbers(memory, lists + ASKED * NUMBER.size)
        self.settled = Numbers(memory, lists + 2 * ASKED * NUMBER.size, SETTLED)
        self._watched = lists + (2 * ASKED + SETTLED) * NUMBER.size
        self.outbox = Outbox(memory, self._watched + BEAT.size)

    def clear(self) -> None:
        """Show nothing: a new process begins."""
        for place in (self._claimed, self._withdrawn, self._loading, *self._all):
            NUMBER.pack_into(self._memory, place, 0)
        self.asked.keep([])
        self.doubted.keep([])
        self.settled.keep([])
        self._memory[self._barred] = 0
        self.listening = True  # until it knows better
        self.retirement, self.vacant = Retirement.NONE, False
        self.outbox.clear()

    @property
    def listening(self) -> bool:
        """Whether the process waits for the bell."""
        return self._memory[self._listening] != 0

    @listening.setter
    def listening(self, listens: bool) -> None:
        self._memory[self._listening] = listens

    @property
    def retirement(self) -> Retirement:
        """Why the process takes nothing new."""
        return Retirement(self._memory[self._retirement])

    @retirement.setter
    def retirement(self, why: Retirement) -> None:
        self._memory[self._retirement] = why

    @property
    def retires(self) -> bool:
        """Whether the process takes nothing new."""
        return self._memory[self._retirement] != 0

    @property
    def vacant(self) -> bool:
        """Whether a process that retires has no plain job left: another may start."""
        return self._memory[self._vacant] != 0

    @vacant.setter
    def vacant(self, vacant: bool) -> None:
        self._memory[self._vacant] = vacant

    @property
    def claimed(self) -> int:
        """The last execution that may have been claimed; 0 when all have begun."""
        execution: int = NUMBER.unpack_from(self._memory, self._claimed)[0]
        return execution

    @claimed.setter
    def claimed(self, execution: int) -> None:
        NUMBER.pack_into(self._memory, self._claimed, execution)

    @property
    def withdrawn(self) -> int:
        """Up to which execution all that had not begun was withdrawn."""
        execution: int = NUMBER.unpack_from(self._memory, self._withdrawn)[0]
        return execution

    def withdraw(self, execution: int) -> None:
        """Have nothing begin any more up to an execution; for the supervisor.

        What is shown as running after this is left alone: it may have begun before.
        """
        NUMBER.pack_into(self._memory, self._withdrawn, execution)
        self._memory[self._barred] |= WITHDRAWN

    @property
    def watched(self) -> float:
        """When the process last asked about its long jobs, monotonic seconds."""
        at: float = BEAT.unpack_from(self._memory, self._watched)[0]
        return at

    @watched.setter
    def watched(self, at: float) -> None:
        BEAT.pack_into(self._memory, self._watched, at)

    def ask(self, executions: Iterable[int]) -> None:
        """Have these and no others end, or not begin; for the supervisor."""
        some = set(executions)
        self.asked.keep(some)
        others = self._memory[self._barred] & ~STOPPED
        self._memory[self._barred] = others | (STOPPED if some else 0)

    def progress(self) -> bytes:
        """Return what is different whenever the process has done anything."""
        return self._memory[self.at : self._first + self._slots * SHOWN.size]

    def load(self, execution: int) -> None:
        """Show that an execution's code and arguments are being loaded; 0 for none."""
        NUMBER.pack_into(self._memory, self._loading, execution)

    def begin(self, execution: int, seconds: float = -1.0) -> bool:
        """Show that an execution runs, and for how many seconds it may.

        Returns:
            Whether it may begin: not when it was withdrawn or stopped before.
        """
        place = self._taken[execution] = self._free.pop()
        SHOWN.pack_into(self._memory, place, execution, seconds)
        # Only now, for the supervisor looks after it has withdrawn. See decision 41.
        return not self._memory[self._barred] or self._is_free(execution)

    def _is_free(self, execution: int) -> bool:
        return execution > self.withdrawn and execution not in self.asked.numbers()

    def allow(self, execution: int, seconds: float) -> None:
        """Have an execution that runs be given so many seconds since it began."""
        place = self._taken.get(execution)
        if place is not None:
            SHOWN.pack_into(self._memory, place, execution, seconds)

    def count(self, *, seconds: float, failed: bool) -> None:
        """Count an execution that has ended."""
        with self._lock:
            done, failures, worked = self.counts()
            counts = (done + (not failed), failures + failed, worked + seconds)
            COUNTED.pack_into(self._memory, self.at, *counts)

    def end(self, execution: int) -> None:
        """Show an execution no more, if it ever began.

        Only when its outcome is in Redis: a job that ran to its end, and whose process
        died before that was written, is not one that never started.
        """
        place = self._taken.pop(execution, None)
        if place is not None:
            NUMBER.pack_into(self._memory, place, 0)
            self._free.append(place)

    def unsent(self) -> dict[int, Packed] | None:
        """Return the outcomes that are not sent, by execution; None while that changes.

        Of a process that lives: its outbox may be written at this very moment.
        """
        try:
            unsent = self.outbox.unsent()
            return {number(packed[EXECUTION]): packed for packed in unsent}
        except (ValueError, EOFError, TypeError):
            return None

    def counts(self) -> tuple[int, int, float]:
        """Return jobs done, jobs failed and seconds worked, since the worker began."""
        return COUNTED.unpack_from(self._memory, self.at)

    def running(self) -> set[int]:
        """Return the numbers of the executions that run, or wait to be written."""
        return set(self.limits())

    def limits(self) -> dict[int, float]:
        """Return the executions that run, with the seconds each may; below 0: any."""
        end = self._first + self._slots * SHOWN.size
        shown = SHOWN.iter_unpack(self._memory[self._first : end])
        return {number: seconds for number, seconds in shown if number}

    def unwanted(self) -> set[int]:
        """Return the executions that are to end: asked for, or not ours any more."""
        return {*self.asked.numbers(), *self.doubted.numbers()}

    def loading(self) -> int:
        """Return the number of the execution that is being loaded; 0 for none."""
        execution: int = NUMBER.unpack_from(self._memory, self._loading)[0]
        return execution


class Numbers:
    """A few executions in shared memory; one side writes them, the other reads.

    ``doubted`` has two who write: its process's watch, and the supervisor's vigil while
    that is silent. What was written last counts.

    Args:
        memory: the whole board.
        at: where they begin.
        room: how many there can be.
    """

    def __init__(self, memory: mmap.mmap, at: int, room: int = ASKED) -> None:
        """Point at them."""
        self._memory = memory
        self.at = at
        self._room = room
        self._end = at + room * NUMBER.size

    def keep(self, numbers: Iterable[int]) -> None:
        """Have these and no others; beyond the room, the first of them."""
        some = sorted(numbers)[: self._room]
        packed = b"".join(map(NUMBER.pack, some)).ljust(self._end - self.at, b"\0")
        self._memory[self.at : self._end] = packed

    def numbers(self) -> set[int]:
        """Return them."""
        packed = NUMBER.iter_unpack(self._memory[self.at : self._end])
        return {number for (number,) in packed} - {0}
