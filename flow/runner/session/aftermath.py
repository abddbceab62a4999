"""What follows when a process has ended: another start, a place left, or the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.runner.processes import backoff
from flow.runner.processes.dyno import NEVER, Dyno, Role, State, Then
from flow.runner.session.ending import NOT_STARTED, Ending

if TYPE_CHECKING:
    from flow.runner.output.printer import Printer
    from flow.runner.processes.launch import Launch
    from flow.runner.processes.process import Process
    from flow.runner.processes.reaper import Reaper
    from flow.runner.session.roster import Roster
    from flow.runner.world import World


class Aftermath:
    """Decides what becomes of a dyno without a process, and of the session.

    Args:
        roster: the dynos.
        launch: lets go of what has ended.
        reaper: ends what a process has left behind.
        printer: tells the person in front of the screen.
        world: time, and chance for the waiting time before a restart.
    """

    def __init__(
        self,
        roster: Roster,
        launch: Launch,
        reaper: Reaper,
        printer: Printer,
        world: World,
    ) -> None:
        """Nothing has ended yet."""
        self.verdict: Ending | None = None  # why the session must end
        self.all_stop = False  # nothing starts again
        self._roster, self._launch, self._reaper = roster, launch, reaper
        self._say, self._clock, self._chance = printer.say, world.clock, world.chance

    def ended(self, dyno: Dyno, process: Process) -> None:
        """Decide what follows a process that has ended."""
        if self.all_stop or (self.verdict and dyno.then):
            self._roster.change(dyno, State.DOWN)
        elif dyno.then is None and not self._starts_again(dyno) and not dyno.done:
            self._roster.change(dyno, State.CRASHED)
            if dyno.role is Role.MEMBER:
                self._decide(Ending(process.code or 0, asked=False))
            else:
                self._reaper.kill_one(process)  # what it left behind
        elif self._reaper.terminate_leftovers(process):
            # A new one would find the port taken: it waits until they are gone.
            self._roster.change(dyno, State.STOPPING)
            dyno.kill_at = min(dyno.kill_at, self._clock() + dyno.plan.grace)
        else:
            self.settle(dyno)

    def look_after_leftovers(self) -> None:
        """Go on with the dynos whose last process has left nothing any more."""
        for dyno in self._roster.every:
            process = dyno.process
            stopping = dyno.state is State.STOPPING
            if not (stopping and process and process.code is not None):
                continue
            if not self._reaper.terminate_leftovers(process):
                self.settle(dyno)

    def not_started(self, dyno: Dyno) -> None:
        """Decide what follows if a dyno cannot be started."""
        self._roster.change(dyno, State.CRASHED)
        if dyno.one_off:
            self._remove(dyno)
        elif self._starts_again(dyno):
            self._again(dyno)
        elif dyno.role is Role.MEMBER:
            self._decide(Ending(NOT_STARTED, asked=False))

    def settle(self, dyno: Dyno) -> None:
        """Do with a dyno in which nothing runs what was meant to be done."""
        then, dyno.then, dyno.kill_at, dyno.told = dyno.then, None, NEVER, False
        if dyno.one_off or then is Then.REMOVE or dyno.role is Role.LEAVING:
            self._remove(dyno)
        elif then is Then.START:
            dyno.due = self._clock()
            self._roster.change(dyno, State.DOWN)
        elif then is Then.STAY_DOWN:
            self._roster.change(dyno, State.DOWN)
        elif dyno.done and then is None:
            self._roster.change(dyno, State.COMPLETE)
        else:
            self._again(dyno)

    def end_if_done(self) -> None:
        """End the session if all that it has is complete."""
        states = {dyno.state for dyno in self._roster.every}
        # A file that changes may begin it anew, as long as files are watched.
        if self.verdict or self._roster.plan.watch:
            return
        if states == {State.COMPLETE}:
            self.verdict = Ending(0, asked=False)

    def _starts_again(self, dyno: Dyno) -> bool:
        # One that is on trial has failed it.
        return self._roster.plan.restart and dyno.role is Role.MEMBER

    def _again(self, dyno: Dyno) -> None:
        if self._clock() - dyno.up_at >= backoff.STEADY:
            dyno.failures = 0
        dyno.failures += 1
        wait = backoff.delay(dyno.failures, self._chance())
        dyno.due = self._clock() + wait
        self._roster.change(dyno, State.CRASHED)
        when = f"in {wait:.1f} s" if wait else "at once"
        self._say(f"{dyno.name} starts again {when}")

    def _remove(self, dyno: Dyno) -> None:
        if dyno.state is not State.DOWN:
            self._roster.change(dyno, State.DOWN)
        self._launch.forget(dyno)
        self._roster.remove(dyno)
        used = {one.instance.port for one in self._roster.every if not one.one_off}
        if dyno.instance.port not in used:
            self._launch.close(dyno.instance.port)

    def _decide(self, how: Ending) -> None:
        # Of those that ended in one instant, the first that failed counts.
        if self.verdict is None or not self.verdict.code:
            self.verdict = how
