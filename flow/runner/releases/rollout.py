"""One set of dynos takes over from another: all of it, or nothing changes.

The new ones start beside the old. When each of them is up, the release succeeds, and
only then the old are told to stop. What cannot run twice (web without a socket to
inherit) comes last: it is stopped, then started, and put back if that fails.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from flow.errors import FlowError
from flow.runner.declared.handover import overlaps
from flow.runner.processes.dyno import NEVER, Dyno, State, Then
from flow.runner.session.ending import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.runner.declared.formation import Instance
    from flow.runner.session.crew import Crew
    from flow.runner.session.plan import Plan

STEADY = 3.0  # seconds that a process must run which does not say when it is ready
GONE = (State.CRASHED, State.DOWN)


class Step(Enum):
    """Where a rollout has got to."""

    TRYING = "the new ones start beside the old"
    PAUSING = "what cannot run twice stops"
    STARTING = "its successors start"
    LEAVING = "the release has succeeded; the old ones stop"
    RETREATING = "the new ones stop"
    OVER = "over"


class Rollout:
    """A deployment in a session.

    Args:
        crew: the dynos.
        plan: how the new ones run.
        instances: the new ones.
        commit: makes the release the current one.
        say: tells the person in front of the screen, and who deploys.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        crew: Crew,
        plan: Plan,
        instances: Sequence[Instance],
        commit: Callable[[], None],
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """Start all that can run beside the old."""
        self._crew, self._plan = crew, plan
        self._commit, self._say, self._clock = commit, say, clock
        self.why = ""  # it failed
        self.step = Step.TRYING
        self._old = [dyno for dyno in crew.roster.dynos.values() if not dyno.one_off]
        self._later = [one for one in instances if not self._overlaps(one.type)]
        self._paused: list[Dyno] = []
        self._trials: list[Dyno] = []
        self._try([one for one in instances if one not in self._later])

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.step is Step.OVER

    @property
    def succeeded(self) -> bool:
        """Whether the new ones have taken over."""
        return self.step in (Step.LEAVING, Step.OVER) and not self.why

    def cancel(self, why: str) -> None:
        """Give up, if it is not too late for that."""
        if self.step in (Step.TRYING, Step.PAUSING, Step.STARTING):
            self._retreat(why)

    def next_moment(self) -> float:
        """Return when there is something to do, in monotonic seconds."""
        if self.step not in (Step.TRYING, Step.STARTING):
            return NEVER
        waiting = [one for one in self._trials if _runs_unasked(one)]
        return min((one.up_at + STEADY for one in waiting), default=NEVER)

    def turn(self) -> None:
        """Go on as far as it goes now."""
        if self.step in (Step.TRYING, Step.STARTING):
            self._look()
        elif self.step is Step.PAUSING:
            if not any(dyno.running for dyno in self._paused):
                self.step = Step.STARTING
                self._try(self._later)
        elif not self._leaving():
            for dyno in self._paused if self.why else ():
                self._crew.stop(dyno, Then.START)
            self.step = Step.OVER

    def _look(self) -> None:
        now = self._clock()
        for dyno in self._trials:
            if dyno.process and dyno.process.code is not None and not _is_up(dyno, now):
                self._retreat(f"{dyno.name} {in_words(dyno.process.code)}")
                return
            if dyno.state in GONE and dyno.due == NEVER:
                self._retreat(f"{dyno.name} did not start")
                return
        if not all(_is_up(dyno, now) for dyno in self._trials):
            return
        if self.step is Step.TRYING and self._later:
            self._pause()
        else:
            self._succeed()

    def _in_the_way(self) -> list[Dyno]:
        types = {one.type for one in self._later}
        # One that ps:stop has stopped is not started again if this fails.
        return [
            dyno
            for dyno in self._old
            if dyno.instance.type in types and (dyno.running or dyno.due < NEVER)
        ]

    def _pause(self) -> None:
        self._paused = self._in_the_way()
        names = ", ".join(dyno.name for dyno in self._paused)
        if names:
            self._say(
                f"{names} cannot run twice (docs/deploy.md: handover): stopping, then"
                " starting the new one"
            )
        self.step = Step.PAUSING
        for dyno in self._paused:
            self._crew.stop(dyno, Then.STAY_DOWN)

    def _succeed(self) -> None:
        try:
            self._commit()
        except FlowError as error:
            self._retreat(str(error))
            return
        self.step = Step.LEAVING
        self._crew.hand_over(self._plan)
        self._say("all new processes are up; the old ones stop")

    def _retreat(self, why: str) -> None:
        self.why, self.step = why, Step.RETREATING
        self._say(f"{why}: the new processes are stopped, the old ones stay")
        for dyno in self._trials:
            self._crew.stop(dyno, Then.REMOVE)

    def _leaving(self) -> list[Dyno]:
        return [
            one for one in self._crew.roster.others if one in self._trials + self._old
        ]

    def _try(self, instances: Sequence[Instance]) -> None:
        self._trials += [
            self._crew.roster.try_out(one, self._plan) for one in instances
        ]

    def _overlaps(self, name: str) -> bool:
        old = {dyno.kind.handover for dyno in self._old if dyno.instance.type == name}
        new = self._plan.kind(name).handover
        return all(overlaps(name, before, new) for before in old)


def _is_up(dyno: Dyno, now: float) -> bool:
    if _runs_unasked(dyno):
        return now >= dyno.up_at + STEADY
    return dyno.state in (State.UP, State.COMPLETE)


def _runs_unasked(dyno: Dyno) -> bool:
    return dyno.state is State.UP and not dyno.kind.ready
