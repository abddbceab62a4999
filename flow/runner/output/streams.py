"""What the processes write, on its way to the printer and to those who watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.runner.watcher import READ, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.output.printer import Printer
    from flow.runner.processes.process import Process

CHUNK = 64 << 10  # bytes read at once
PIPE = 1 << 20  # bytes that a pipe can hold
READS = 256  # times a terminal is read at its end; it gives 4 KB each time


class Streams:
    """The pipes and terminals of all processes.

    Args:
        printer: shows what they say.
    """

    hear: Callable[[Process, bytes], None] | None = None  # is told before it is shown

    def __init__(self, printer: Printer) -> None:
        """Read nothing yet."""
        self._printer = printer
        self._open: dict[int, Process] = {}

    def add(self, process: Process) -> None:
        """Read what a process writes from now on."""
        self._open[process.output] = process

    def wanted(self) -> dict[int, Wanted]:
        """Return what to wait for."""
        if self._printer.full:
            return {}  # the processes wait in their writes, as before a full pipe
        return {
            descriptor: Wanted(READ, self, process)
            for descriptor, process in self._open.items()
        }

    def attend(self, descriptor: int) -> None:
        """Read what one of them wrote."""
        if process := self._open.get(descriptor):
            self._read(process, CHUNK)

    def drain(self, process: Process) -> None:
        """Read what a process that has ended wrote before; end its last line."""
        for _ in range(READS if process.terminal else 1):
            if process.output not in self._open or not self._read(process, PIPE):
                break
        self._printer.finish(process.name)

    def close(self, process: Process | None = None) -> None:
        """Read the rest and close the pipe: of one process, or of all."""
        # What still holds the other side is no process of ours: its end may be far.
        for one in [process] if process else list(self._open.values()):
            if one.output in self._open:
                self.drain(one)
                self._forget(one)

    def _read(self, process: Process, size: int) -> bool:
        data = process.read(size)
        if data:
            if self.hear:
                self.hear(process, data)
            if process.terminal:
                data = data.replace(b"\r\n", b"\n")
            self._printer.feed(process.name, data)
        elif data is not None:
            self._forget(process)
        return bool(data)

    def _forget(self, process: Process) -> None:
        self._printer.finish(process.name)
        if self._open.pop(process.output, None):
            process.close()
