"""The dynos of a session: who starts, what looks after them, and who is stopped."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from flow.runner.processes.boot import Boot
from flow.runner.processes.dyno import NEVER, Dyno, State, Then
from flow.runner.processes.launch import Launch
from flow.runner.processes.limits import Breach, Limits
from flow.runner.session.aftermath import Aftermath
from flow.runner.session.ending import Ending, in_words

if TYPE_CHECKING:
    from flow.runner.output.printer import Printer
    from flow.runner.output.streams import Streams
    from flow.runner.processes.process import Process
    from flow.runner.processes.reaper import Reaper
    from flow.runner.session.plan import Plan
    from flow.runner.session.roster import Roster
    from flow.runner.watcher import Wanted
    from flow.runner.world import World

AGAIN = 0.05  # seconds between two KILLs, as long as something is left


class Crew:
    """Starts and stops the dynos of a session.

    Args:
        roster: the dynos.
        reaper: buries what ends.
        streams: reads what they write.
        printer: tells the person in front of the screen.
        world: time, and chance for the waiting time before a restart.
    """

    def __init__(
        self,
        roster: Roster,
        reaper: Reaper,
        streams: Streams,
        printer: Printer,
        world: World,
    ) -> None:
        """Start nothing yet."""
        self.roster = roster
        self._reaper, self._streams, self._printer = reaper, streams, printer
        self._clock = world.clock
        self._boot = Boot(reaper, printer, world.clock)
        self._limits = Limits(printer, world)
        self._launch = Launch(reaper, streams, printer)
        self._aftermath = Aftermath(roster, self._launch, reaper, printer, world)

    @property
    def verdict(self) -> Ending | None:
        """Why the session must end, if it must."""
        return self._aftermath.verdict

    def hand_over(self, plan: Plan) -> None:
        """Let those on trial take over; the others are told to stop."""
        for dyno in self.roster.hand_over(plan):
            self.stop(dyno, Then.REMOVE)

    def turn(self) -> None:
        """Start what is due, and kill what has used up its grace."""
        now = self._clock()
        for dyno in self.roster.every:
            if dyno.due <= now and not self.verdict and self.roster.may_start(dyno):
                self._start(dyno)
            if self._boot.turn(dyno):
                self.roster.change(dyno, State.UP)
            if breach := self._limits.turn(dyno):
                self._limit(dyno, breach)
            if dyno.kill_at <= now and dyno.process:
                dyno.kill_at = now + AGAIN
                self._too_late(dyno, dyno.process)
                self._reaper.kill_one(dyno.process)
        self._aftermath.end_if_done()

    def next_moment(self) -> float:
        """Return when there is something to do, in monotonic seconds."""
        every = self.roster.every
        waiting = [dyno.kill_at for dyno in every]
        if self.verdict is None:
            waiting += [dyno.due for dyno in every if self.roster.may_start(dyno)]
        waiting += map(self._boot.next_moment, every)
        waiting += map(self._limits.next_moment, every)
        return min(waiting, default=NEVER)

    def wanted(self) -> dict[int, Wanted]:
        """Return what to wait for."""
        return self._boot.wanted(self.roster.every)

    def stop(self, dyno: Dyno, then: Then) -> None:
        """Stop a dyno by hand; what is to happen afterwards happens by itself."""
        dyno.then, dyno.failures, dyno.due = then, 0, NEVER
        if not dyno.running or dyno.process is None:
            self._aftermath.settle(dyno)
        elif dyno.state is not State.STOPPING:
            self._let_be(dyno)
            self.roster.change(dyno, State.STOPPING)
            self._printer.note(dyno.name, "Stopping all processes with SIGTERM")
            dyno.kill_at, dyno.told = self._clock() + dyno.plan.grace, True
            dyno.process.send(signal.SIGTERM)
            dyno.process.send(signal.SIGCONT)

    def end(self, how: Ending) -> None:
        """Take note that all are being stopped."""
        self._aftermath.verdict, self._aftermath.all_stop = how, True
        self._launch.close_all()
        for dyno in self.roster.every:
            dyno.told = dyno.running
            self._limits.end(dyno)
            if dyno.running and dyno.state is not State.STOPPING:
                self._printer.note(dyno.name, "Stopping all processes with SIGTERM")

    def too_late(self) -> None:
        """Say which of them did not end within their grace."""
        for dyno in self.roster.every:
            if dyno.process:
                self._too_late(dyno, dyno.process)

    def hear(self, process: Process, data: bytes) -> None:
        """Pass on what a process wrote to those who watch it."""
        dyno = self.roster.of(process)
        if dyno is None:
            return
        if dyno.readiness:
            dyno.readiness.hear(data)
        for viewer in dyno.viewers:
            viewer.show(data)

    def ended(self, process: Process) -> None:
        """Take note of a process that has ended; what follows is decided."""
        if self._boot.answered(process, self.roster.every):
            return
        self._streams.drain(process)
        self._printer.say(f"{process.name} {in_words(process.code or 0)}")
        dyno = self.roster.of(process)
        if dyno is None:
            return
        self._printer.note(dyno.name, f"Process exited with status {process.code}")
        self._let_be(dyno)
        dyno.ended(process)
        self._aftermath.ended(dyno, process)

    def look_after_leftovers(self) -> None:
        """Go on with the dynos whose last process has left nothing any more."""
        self._aftermath.look_after_leftovers()

    def _start(self, dyno: Dyno) -> None:
        dyno.due, dyno.kill_at, dyno.then, dyno.told = NEVER, NEVER, None, False
        dyno.up_at = self._clock()
        try:
            self._launch.start(dyno)
        except OSError as error:
            self._printer.say(f"{dyno.name} cannot be started: {error}")
            self._aftermath.not_started(dyno)
            return
        self._limits.begin(dyno)
        if dyno.kind.ready:
            self.roster.change(dyno, State.STARTING)
            self._boot.begin(dyno)
        else:
            self.roster.change(dyno, State.UP)

    def _let_be(self, dyno: Dyno) -> None:
        self._boot.end(dyno)
        self._limits.end(dyno)

    def _limit(self, dyno: Dyno, breach: Breach) -> None:
        if breach is Breach.CYCLE:
            self.stop(dyno, Then.START)
        elif dyno.process:
            self._let_be(dyno)
            # It is the platform that ends it: no reason to end the session.
            dyno.then, dyno.kill_at = Then.AGAIN, self._clock()
            self.roster.change(dyno, State.STOPPING)

    def _too_late(self, dyno: Dyno, process: Process) -> None:
        if dyno.told and process.code is None:
            dyno.told = False
            self._printer.report(
                dyno.name,
                "Error R12 (Exit timeout) -> At least one process failed to exit"
                f" within {dyno.plan.grace:g} seconds of SIGTERM",
            )
            self._printer.note(dyno.name, "Stopping process with SIGKILL")
