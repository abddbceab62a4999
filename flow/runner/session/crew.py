"""The dynos of a session: who starts, who starts again, and who is stopped."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from flow.runner.processes import backoff
from flow.runner.processes.boot import Boot
from flow.runner.processes.dyno import NEVER, Dyno, Role, State, Then
from flow.runner.processes.launch import Launch
from flow.runner.processes.limits import Breach, Limits
from flow.runner.session.ending import NOT_STARTED, Ending, in_words
from flow.runner.session.plan import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flow.runner.declared.formation import Instance
    from flow.runner.output.printer import Printer
    from flow.runner.output.streams import Streams
    from flow.runner.processes.process import Process
    from flow.runner.processes.reaper import Reaper
    from flow.runner.session.plan import Plan
    from flow.runner.watcher import Wanted
    from flow.runner.world import World

AGAIN = 0.05  # seconds between two KILLs, as long as something is left


class Crew:
    """The dynos of a session.

    Args:
        plan: how they run.
        reaper: buries what ends.
        streams: reads what they write.
        printer: tells the person in front of the screen.
        world: time, and chance for the waiting time before a restart.
    """

    def __init__(
        self,
        plan: Plan,
        reaper: Reaper,
        streams: Streams,
        printer: Printer,
        world: World,
    ) -> None:
        """Start nothing yet."""
        self.plan = plan
        self.dynos: dict[str, Dyno] = {}
        self.others: list[Dyno] = []  # on trial, or leaving
        self.verdict: Ending | None = None  # why the session must end
        self._all_stop = False
        self._reaper, self._streams, self._printer = reaper, streams, printer
        self._say = printer.say
        self._boot = Boot(reaper, printer, world.clock)
        self._limits = Limits(printer, world)
        self._launch = Launch(reaper, streams, printer)
        self._clock, self._now, self._chance = world.clock, world.now, world.chance

    @property
    def every(self) -> list[Dyno]:
        """Every dyno: those that serve, those on trial, those that leave."""
        return [*self.dynos.values(), *self.others]

    def add(self, instance: Instance, *, one_off: bool = False) -> Dyno:
        """Make a place for an instance; it starts with the next turn."""
        kind = PLAIN if one_off else self.plan.kind(instance.type)
        dyno = Dyno(instance, kind, self.plan, self._now(), one_off, due=self._clock())
        self.dynos[instance.name] = dyno
        return dyno

    def try_out(self, instance: Instance, plan: Plan) -> Dyno:
        """Make a place beside the others for an instance of another release."""
        dyno = Dyno(instance, plan.kind(instance.type), plan, self._now())
        dyno.role, dyno.due = Role.TRIAL, self._clock()
        self.others.append(dyno)
        return dyno

    def use(self, config: Mapping[str, str]) -> None:
        """Start processes with these config vars from now on."""
        self.plan = replace(self.plan, config=config)
        for dyno in self.dynos.values():
            dyno.plan = replace(dyno.plan, config=config)

    def hand_over(self, plan: Plan) -> None:
        """Let those on trial take over; the others are told to stop."""
        old = [dyno for dyno in self.dynos.values() if not dyno.one_off]
        new = [dyno for dyno in self.others if dyno.role is Role.TRIAL]
        self.plan = plan
        for dyno in old:
            dyno.role = Role.LEAVING
            del self.dynos[dyno.name]
        for dyno in new:
            dyno.role = Role.MEMBER
            self.dynos[dyno.name] = dyno
        self.others = [dyno for dyno in self.others if dyno not in new] + old
        for dyno in old:
            self.stop(dyno, Then.REMOVE)

    def of_type(self, name: str) -> list[Dyno]:
        """Return the dynos of a type that are to run, by number."""
        found = [
            dyno
            for dyno in self.dynos.values()
            if dyno.instance.type == name
            and dyno.then is not Then.REMOVE
            and not dyno.one_off
        ]
        return sorted(found, key=lambda dyno: dyno.instance.number)

    def turn(self) -> None:
        """Start what is due, and kill what has used up its grace."""
        now = self._clock()
        for dyno in self.every:
            if dyno.due <= now and self.verdict is None and self._may_start(dyno):
                self._start(dyno)
            if self._boot.turn(dyno):
                self.change(dyno, State.UP)
            if breach := self._limits.turn(dyno):
                self._limit(dyno, breach)
            if dyno.kill_at <= now and dyno.process:
                dyno.kill_at = now + AGAIN
                self._too_late(dyno, dyno.process)
                self._reaper.kill_one(dyno.process)
        self._end_if_done()

    def next_moment(self) -> float:
        """Return when there is something to do, in monotonic seconds."""
        every = self.every
        waiting = [dyno.kill_at for dyno in every]
        if self.verdict is None:
            waiting += [dyno.due for dyno in every if self._may_start(dyno)]
        waiting += map(self._boot.next_moment, every)
        waiting += map(self._limits.next_moment, every)
        return min(waiting, default=NEVER)

    def wanted(self) -> dict[int, Wanted]:
        """Return what to wait for."""
        return self._boot.wanted(self.every)

    def stop(self, dyno: Dyno, then: Then) -> None:
        """Stop a dyno by hand; what is to happen afterwards happens by itself."""
        dyno.then, dyno.failures, dyno.due = then, 0, NEVER
        if not dyno.running or dyno.process is None:
            self._settle(dyno)
        elif dyno.state is not State.STOPPING:
            self._boot.end(dyno)
            self._limits.end(dyno)
            self.change(dyno, State.STOPPING)
            self._printer.note(dyno.name, "Stopping all processes with SIGTERM")
            dyno.kill_at, dyno.told = self._clock() + dyno.plan.grace, True
            dyno.process.send(signal.SIGTERM)
            dyno.process.send(signal.SIGCONT)

    def end(self) -> None:
        """Take note that all are being stopped."""
        self._all_stop = True
        self._launch.close_all()
        for dyno in self.every:
            dyno.told = dyno.running
            self._limits.end(dyno)
            if dyno.running and dyno.state is not State.STOPPING:
                self._printer.note(dyno.name, "Stopping all processes with SIGTERM")

    def too_late(self) -> None:
        """Say which of them did not end within their grace."""
        for dyno in self.every:
            if dyno.process:
                self._too_late(dyno, dyno.process)

    def hear(self, process: Process, data: bytes) -> None:
        """Pass on what a process wrote to those who watch it."""
        dyno = self._of(process)
        if dyno is None:
            return
        if dyno.readiness:
            dyno.readiness.hear(data)
        for viewer in dyno.viewers:
            viewer.show(data)

    def ended(self, process: Process) -> None:
        """Take note of a process that has ended, and decide what follows."""
        if self._boot.answered(process, self.every):
            return
        self._streams.drain(process)
        self._say(f"{process.name} {in_words(process.code or 0)}")
        dyno = self._of(process)
        if dyno is None:
            return
        self._printer.note(dyno.name, f"Process exited with status {process.code}")
        self._boot.end(dyno)
        self._limits.end(dyno)
        dyno.ended(process)
        if self._all_stop or (self.verdict and dyno.then):
            self.change(dyno, State.DOWN)
        elif dyno.then is None and not self._starts_again(dyno) and not dyno.done:
            self.change(dyno, State.CRASHED)
            if dyno.role is Role.MEMBER:
                self._decide(Ending(process.code or 0, asked=False))
            else:
                self._reaper.kill_one(process)  # what it left behind
        elif self._reaper.terminate_leftovers(process):
            # A new one would find the port taken: it waits until they are gone.
            self.change(dyno, State.STOPPING)
            dyno.kill_at = min(dyno.kill_at, self._clock() + dyno.plan.grace)
        else:
            self._settle(dyno)

    def look_after_leftovers(self) -> None:
        """Go on with the dynos whose last process has left nothing any more."""
        for dyno in self.every:
            process = dyno.process
            stopping = dyno.state is State.STOPPING
            if not (stopping and process and process.code is not None):
                continue
            if not self._reaper.terminate_leftovers(process):
                self._settle(dyno)

    def change(self, dyno: Dyno, state: State) -> None:
        """Take note of what a dyno does now."""
        if dyno.state is not state:
            self._printer.note(dyno.name, f"State changed from {dyno.state} to {state}")
            dyno.state, dyno.since = state, self._now()

    def _of(self, process: Process) -> Dyno | None:
        dyno = self.dynos.get(process.name)
        if dyno and dyno.process is process:
            return dyno
        return next((one for one in self.others if one.process is process), None)

    def _may_start(self, dyno: Dyno) -> bool:
        return all(
            other.state in (State.UP, State.COMPLETE)
            for name in dyno.kind.after
            for other in self._beside(dyno, name)
        )

    def _beside(self, dyno: Dyno, name: str) -> list[Dyno]:
        """Return the dynos of a type that one has to wait for."""
        trials = [
            other
            for other in self.others
            if dyno.role is other.role is Role.TRIAL and other.instance.type == name
        ]
        return trials or self.of_type(name)

    def _start(self, dyno: Dyno) -> None:
        dyno.due, dyno.kill_at, dyno.then, dyno.told = NEVER, NEVER, None, False
        dyno.up_at = self._clock()
        try:
            self._launch.start(dyno)
        except OSError as error:
            self._say(f"{dyno.name} cannot be started: {error}")
            self._cannot(dyno)
            return
        self._limits.begin(dyno)
        if dyno.kind.ready:
            self.change(dyno, State.STARTING)
            self._boot.begin(dyno)
        else:
            self.change(dyno, State.UP)

    def _cannot(self, dyno: Dyno) -> None:
        self.change(dyno, State.CRASHED)
        if dyno.one_off:
            self._remove(dyno)
        elif self._starts_again(dyno):
            self._again(dyno)
        elif dyno.role is Role.MEMBER:
            self._decide(Ending(NOT_STARTED, asked=False))

    def _starts_again(self, dyno: Dyno) -> bool:
        # One that is on trial has failed it.
        return self.plan.restart and dyno.role is Role.MEMBER

    def _settle(self, dyno: Dyno) -> None:
        then, dyno.then, dyno.kill_at, dyno.told = dyno.then, None, NEVER, False
        if dyno.one_off or then is Then.REMOVE or dyno.role is Role.LEAVING:
            self._remove(dyno)
        elif then is Then.START:
            dyno.due = self._clock()
            self.change(dyno, State.DOWN)
        elif then is Then.STAY_DOWN:
            self.change(dyno, State.DOWN)
        elif dyno.done and then is None:
            self.change(dyno, State.COMPLETE)
        else:
            self._again(dyno)

    def _again(self, dyno: Dyno) -> None:
        if self._clock() - dyno.up_at >= backoff.STEADY:
            dyno.failures = 0
        dyno.failures += 1
        wait = backoff.delay(dyno.failures, self._chance())
        dyno.due = self._clock() + wait
        self.change(dyno, State.CRASHED)
        when = f"in {wait:.1f} s" if wait else "at once"
        self._say(f"{dyno.name} starts again {when}")

    def _limit(self, dyno: Dyno, breach: Breach) -> None:
        if breach is Breach.CYCLE:
            self.stop(dyno, Then.START)
        elif dyno.process:
            self._boot.end(dyno)
            self._limits.end(dyno)
            # It is the platform that ends it: no reason to end the session.
            dyno.then, dyno.kill_at = Then.AGAIN, self._clock()
            self.change(dyno, State.STOPPING)

    def _too_late(self, dyno: Dyno, process: Process) -> None:
        if dyno.told and process.code is None:
            dyno.told = False
            self._printer.report(
                dyno.name,
                "Error R12 (Exit timeout) -> At least one process failed to exit"
                f" within {dyno.plan.grace:g} seconds of SIGTERM",
            )
            self._printer.note(dyno.name, "Stopping process with SIGKILL")

    def _remove(self, dyno: Dyno) -> None:
        if dyno.state is not State.DOWN:
            self.change(dyno, State.DOWN)
        self._launch.forget(dyno)
        if dyno in self.others:
            self.others.remove(dyno)
        elif self.dynos.get(dyno.name) is dyno:
            del self.dynos[dyno.name]
        used = {one.instance.port for one in self.every if not one.one_off}
        if dyno.instance.port not in used:
            self._launch.close(dyno.instance.port)

    def _decide(self, how: Ending) -> None:
        # Of those that ended in one instant, the first that failed counts.
        if self.verdict is None or not self.verdict.code:
            self.verdict = how

    def _end_if_done(self) -> None:
        states = {dyno.state for dyno in self.every}
        # A file that changes may begin it anew, as long as files are watched.
        if self.verdict or self.plan.watch:
            return
        if states == {State.COMPLETE}:
            self.verdict = Ending(0, asked=False)


def counts(dynos: Iterable[Dyno]) -> dict[str, int]:
    """Return how many dynos there are of each type, without one-offs."""
    found: dict[str, int] = {}
    for dyno in dynos:
        if not dyno.one_off and dyno.then is not Then.REMOVE:
            found[dyno.instance.type] = found.get(dyno.instance.type, 0) + 1
    return found
