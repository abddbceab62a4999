"""Runs processes together in one loop, until one of them ends or somebody says stop."""

from __future__ import annotations

import os
import selectors
from typing import TYPE_CHECKING

from flow.runner import descendants
from flow.runner.ending import NOT_STARTED, ORDERED, SAID, UNREAD, Ending, in_words
from flow.runner.reaper import Reaper
from flow.runner.signals import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flow.runner.printer import Printer
    from flow.runner.process import Process
    from flow.runner.signals import Signals

CHUNK = 64 << 10  # bytes read at once
PIPE = 1 << 20  # bytes that a pipe can hold
AGAIN = 0.05  # seconds between two KILLs, as long as something is left
HOPELESS = 5.0  # seconds after which what KILL cannot end is left (a dead disk)


class Session:
    """Processes that live and end together.

    Args:
        signals: brings the orders; entered already.
        printer: shows what the processes say.
        grace: seconds between TERM and KILL.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        signals: Signals,
        printer: Printer,
        grace: float,
        clock: Callable[[], float],
    ) -> None:
        """Start nothing yet."""
        self._signals, self._printer = signals, printer
        self._grace, self._clock = grace, clock
        self._reaper = Reaper()
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, int] = {}
        self._pipes: dict[int, Process] = {}
        self._ending: Ending | None = None
        self._kill_at = self._give_up_at = float("inf")

    def run(self, processes: Iterable[Process]) -> Ending:
        """Start the processes; return when none, and nothing of them, is left."""
        with self._selector:
            for process in processes:
                self._start(process)
            while not self._reaper.empty and self._clock() < self._give_up_at:
                self._turn()
            # What still holds a pipe is no process of ours: do not wait for its end.
            for process in list(self._pipes.values()):
                self._read(process, PIPE)
                self._forget(process)
        if not self._reaper.empty:
            left = [row.pid for row in descendants.descendants(os.getpid())]
            self._printer.say(f"even KILL does not end the processes {left}")
        return self._ending or ORDERED[Order.STOP]

    def _start(self, process: Process) -> None:
        if self._ending:
            return
        try:
            process.start()
        except OSError as error:
            self._printer.say(f"{process.name} cannot be started: {error}")
            self._stop(Ending(NOT_STARTED, asked=False))
            return
        self._reaper.add(process)
        self._pipes[process.output] = process
        self._printer.say(f"{process.name} started (pid {process.pid}{process.about})")

    def _turn(self) -> None:
        self._watch()
        for key, _ in self._selector.select(self._patience()):
            self._attend(key.fd)
        if not self._printer.full:
            self._printer.show_prompts()
        if self._printer.sink.failure:
            self._stop(Ending(UNREAD, asked=True))
        if self._clock() >= self._kill_at:
            self._kill()

    def _attend(self, descriptor: int) -> None:
        if process := self._pipes.get(descriptor):
            self._read(process, CHUNK)
        elif descriptor in self._signals.sources:
            for order in self._signals.read(descriptor):
                self._obey(order)
        elif descriptor == self._printer.sink.fileno():
            self._printer.sink.flush()

    def _watch(self) -> None:
        wanted = dict.fromkeys(self._signals.sources, selectors.EVENT_READ)
        if self._printer.sink.size:
            wanted[self._printer.sink.fileno()] = selectors.EVENT_WRITE
        if not self._printer.full:
            # Otherwise the processes wait in their writes, as before a full pipe.
            wanted.update(dict.fromkeys(self._pipes, selectors.EVENT_READ))
        for descriptor in self._watched.keys() - wanted.keys():
            self._selector.unregister(descriptor)
        for descriptor in wanted.keys() - self._watched.keys():
            self._selector.register(descriptor, wanted[descriptor])
        self._watched = wanted

    def _patience(self) -> float | None:
        moments = [self._kill_at - self._clock()]
        if not self._printer.full:
            moments.append(self._printer.prompt_in())
        soonest = min(moments)
        return None if soonest == float("inf") else max(0.0, soonest)

    def _read(self, process: Process, size: int) -> None:
        data = process.read(size)
        if data:
            self._printer.feed(process.name, data)
        elif data is not None:
            self._forget(process)

    def _forget(self, process: Process) -> None:
        self._printer.finish(process.name)
        if self._pipes.pop(process.output, None):
            if self._watched.pop(process.output, None):
                self._selector.unregister(process.output)
            process.close()

    def _obey(self, order: Order) -> None:
        if order is Order.CHILD:
            self._bury(self._reaper.reap())
            return
        if self._ending is None:
            self._printer.say(SAID[order])
        self._stop(ORDERED[order])
        if order is Order.KILL:
            self._kill()

    def _bury(self, ended: list[Process]) -> None:
        for process in ended:
            if process.output in self._pipes:
                self._read(process, PIPE)
            self._printer.finish(process.name)
            self._printer.say(f"{process.name} {in_words(process.code or 0)}")
        if self._ending:
            self._reaper.terminate_orphans()
        elif ended:
            if not self._reaper.empty:
                self._printer.say("stopping the others")
            codes = [process.code or 0 for process in ended]
            self._stop(Ending(next(filter(None, codes), 0), asked=False))

    def _stop(self, how: Ending) -> None:
        if self._ending is None:
            self._ending = how
            self._kill_at = self._clock() + self._grace
            self._reaper.terminate()

    def _kill(self) -> None:
        now = self._clock()
        self._give_up_at = min(self._give_up_at, now + HOPELESS)
        self._kill_at = now + AGAIN
        self._reaper.kill()
