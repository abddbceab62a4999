"""Watches over the dynos that are starting, until they are up or took too long."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from flow.runner.processes import descendants
from flow.runner.processes.dyno import NEVER, Dyno, Role, State
from flow.runner.processes.readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flow.runner.output.printer import Printer
    from flow.runner.processes.process import Process
    from flow.runner.processes.reaper import Reaper
    from flow.runner.watcher import Wanted

SOON = 0.02  # seconds until the next look at who has taken a connection


class Boot:
    """The beginning of each dyno that declares when it is ready.

    Args:
        reaper: buries the processes that ask.
        printer: tells the person in front of the screen.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        reaper: Reaper,
        printer: Printer,
        clock: Callable[[], float],
    ) -> None:
        """Watch over none yet."""
        self._reaper, self._printer, self._say = reaper, printer, printer.say
        self._clock = clock

    def begin(self, dyno: Dyno) -> None:
        """Begin to ask whether a dyno is up."""
        one = dyno.instance
        # The release before may have the same port, and would answer for this one.
        shared = dyno.role is Role.TRIAL and descendants.LINUX and dyno.process
        dyno.readiness = Readiness(dyno.kind.ready, one, shared.pid if shared else 0)
        environ = dyno.plan.environ(one)
        dyno.question = dyno.readiness.question(one, environ, dyno.plan.folder)
        if dyno.question:
            try:
                dyno.question.start()
            except OSError as error:
                self._say(f"{dyno.name}: its readiness cannot be asked for: {error}")
                dyno.question = None
                return
            self._reaper.add(dyno.question)

    def end(self, dyno: Dyno) -> None:
        """Ask no more."""
        if dyno.readiness:
            dyno.readiness.close()
            dyno.readiness = None
        if dyno.question:
            dyno.question.send(signal.SIGKILL)
            dyno.question.close()
            dyno.question = None

    def answered(self, process: Process, dynos: Iterable[Dyno]) -> bool:
        """Return whether a process that ended was one that asked; take its answer."""
        for dyno in dynos:
            if dyno.question is process and dyno.readiness:
                dyno.readiness.done = process.code == 0
                return True
        return process.name.endswith(" ready")

    def turn(self, dyno: Dyno) -> bool:
        """Return whether a starting dyno is up now; end the one that takes too long."""
        now, readiness = self._clock(), dyno.readiness
        if dyno.state is not State.STARTING or readiness is None:
            return False
        readiness.look(now)
        readiness.turn(now)
        if readiness.done:
            self.end(dyno)
            self._say(f"{dyno.name} is up after {now - dyno.up_at:.1f} s")
            return True
        if now >= dyno.up_at + dyno.kind.boot and dyno.process:
            self._printer.report(
                dyno.name,
                f"Error R10 (Boot timeout) -> not ready ({dyno.kind.ready})"
                f" within {dyno.kind.boot:g} seconds of launch",
            )
            self._printer.note(dyno.name, "Stopping process with SIGKILL")
            self.end(dyno)
            dyno.process.send(signal.SIGKILL)
        return False

    def next_moment(self, dyno: Dyno) -> float:
        """Return when to look again, in monotonic seconds."""
        if dyno.readiness is None:
            return NEVER
        soon = self._clock() + SOON if dyno.readiness.looks_again else NEVER
        return min(soon, dyno.readiness.next, dyno.up_at + dyno.kind.boot)

    def wanted(self, dynos: Iterable[Dyno]) -> dict[int, Wanted]:
        """Return what to wait for."""
        found: dict[int, Wanted] = {}
        for dyno in dynos:
            if dyno.readiness:
                found |= dyno.readiness.wanted()
        return found
