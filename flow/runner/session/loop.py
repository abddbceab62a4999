"""The one loop of a session: processes, signals, the screen and the control socket."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flow.runner.processes import descendants
from flow.runner.session.ending import ORDERED, SAID, TIMED_OUT, UNREAD, Ending
from flow.runner.session.signals import Order
from flow.runner.watcher import READ, WRITE, Wanted, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.control.listener import Control
    from flow.runner.output.printer import Printer
    from flow.runner.output.streams import Streams
    from flow.runner.processes.reaper import Reaper
    from flow.runner.releases.deployments import Deployments
    from flow.runner.session.crew import Crew
    from flow.runner.session.signals import Signals
    from flow.runner.watching.changes import Changes

AGAIN = 0.05  # seconds between two KILLs, as long as something is left
HOPELESS = 5.0  # seconds after which what KILL cannot end is left (a dead disk)


class Session:
    """Processes that live and end together.

    Args:
        signals: brings the orders; entered already.
        printer: shows what the processes say.
        reaper: buries what ends.
        streams: reads what they write.
        crew: decides who runs.
        clock: monotonic seconds.
    """

    control: Control | None = None  # answers flow ps and its like
    changes: Changes | None = None  # restarts what changed files touch
    deployments: Deployments | None = None  # replaces all by another release
    deadline = float("inf")  # when it has taken too long, in monotonic seconds

    def __init__(
        self,
        signals: Signals,
        printer: Printer,
        reaper: Reaper,
        streams: Streams,
        crew: Crew,
        clock: Callable[[], float],
    ) -> None:
        """Start nothing yet."""
        self._signals, self._printer, self._clock = signals, printer, clock
        self._reaper, self._streams, self._crew = reaper, streams, crew
        self._ending: Ending | None = None
        self._when_up: Callable[[], None] | None = None
        self._kill_at = self._give_up_at = float("inf")

    def run(self, when_up: Callable[[], None] | None = None) -> Ending:
        """Run the crew; return when none, and nothing of them, is left.

        Args:
            when_up: is called once all have come up.
        """
        self._when_up = when_up
        with Watcher() as watcher:
            self._mind_the_crew()
            while self._goes_on():
                watcher.wait(self._wanted(), self._patience())
                self._turn()
            self._streams.close()
        if not self._reaper.empty:
            left = [row.pid for row in descendants.descendants(os.getpid())]
            self._printer.say(f"even KILL does not end the processes {left}")
        return self._ending or ORDERED[Order.STOP]

    def attend(self, descriptor: int) -> None:
        """Obey a signal, or write what the screen did not take before."""
        if descriptor in self._signals.sources:
            for order in self._signals.read(descriptor):
                self._obey(order)
        elif descriptor == self._printer.sink.fileno():
            self._printer.sink.flush()

    def stop(self, how: Ending) -> None:
        """Stop all processes; KILL follows after the grace."""
        if self._ending is None:
            self._ending = how
            self._kill_at = self._clock() + self._crew.roster.plan.grace
            self._crew.end(how)
            self._reaper.terminate()

    def _goes_on(self) -> bool:
        if self._ending is None:
            return True
        return not self._reaper.empty and self._clock() < self._give_up_at

    def _turn(self) -> None:
        if not self._printer.full:
            self._printer.show_prompts()
        if self._printer.sink.failure:
            self.stop(Ending(UNREAD, asked=True))
        if self.changes:
            self.changes.turn()
        self._mind_the_crew()
        if self.deployments and self._ending is None:
            self.deployments.turn()
        if self.control:
            self.control.turn()
        if self._clock() >= self.deadline:
            self.stop(Ending(TIMED_OUT, asked=False))
        if self._clock() >= self._kill_at:
            self._crew.too_late()
            self._kill()

    def _mind_the_crew(self) -> None:
        self._crew.turn()
        if self._ending:
            return
        if self._crew.verdict:
            if not self._reaper.empty:
                self._printer.say("stopping the others")
            self.stop(self._crew.verdict)
        elif self._when_up and self._crew.roster.has_come_up:
            tell, self._when_up = self._when_up, None
            tell()

    def _wanted(self) -> dict[int, Wanted]:
        wanted = {source: Wanted(READ, self) for source in self._signals.sources}
        if self._printer.sink.size:
            wanted[self._printer.sink.fileno()] = Wanted(WRITE, self)
        if self.control:
            wanted |= self.control.wanted()
        if self.changes:
            wanted |= self.changes.wanted()
        return wanted | self._streams.wanted() | self._crew.wanted()

    def _patience(self) -> float | None:
        now = self._clock()
        moments = [self._kill_at - now, self._crew.next_moment() - now]
        if self.changes:
            moments.append(self.changes.next_moment() - now)
        if self.deployments:
            moments.append(self.deployments.next_moment() - now)
        if self._ending is None:
            moments.append(self.deadline - now)
        if not self._printer.full:
            moments.append(self._printer.prompt_in())
        soonest = min(moments)
        return None if soonest == float("inf") else max(0.0, soonest)

    def _obey(self, order: Order) -> None:
        if order is Order.CHILD:
            self._bury()
            return
        if self._ending is None:
            self._printer.say(SAID[order])
        if order is Order.SUSPEND:
            return
        self.stop(ORDERED[order])
        if order is Order.KILL:
            self._kill()

    def _bury(self) -> None:
        for process in self._reaper.reap():
            if not (self.changes and self.changes.ended(process)):
                self._crew.ended(process)
        if self._ending:
            self._reaper.terminate_orphans()
        else:
            self._crew.look_after_leftovers()

    def _kill(self) -> None:
        now = self._clock()
        self._give_up_at = min(self._give_up_at, now + HOPELESS)
        self._kill_at = now + AGAIN
        self._reaper.kill()
