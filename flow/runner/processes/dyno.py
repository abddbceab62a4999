"""One place in the formation, such as web.1, and the process that is in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from flow.runner.declared.formation import Instance
    from flow.runner.declared.kind import Kind
    from flow.runner.declared.procfile import Procfile
    from flow.runner.processes.process import Process
    from flow.runner.processes.readiness import Readiness
    from flow.runner.session.plan import Plan

NEVER = float("inf")


class State(StrEnum):
    """What a dyno is doing, in Heroku's words."""

    STARTING = "starting"
    UP = "up"
    STOPPING = "stopping"
    CRASHED = "crashed"
    DOWN = "down"
    COMPLETE = "complete"


class Then(StrEnum):
    """What happens once the process of a dyno has been stopped by hand."""

    START = "start"
    STAY_DOWN = "stay down"
    REMOVE = "remove"
    AGAIN = "start after a while"


class Role(StrEnum):
    """Whether a dyno belongs to the set that serves."""

    MEMBER = "member"
    TRIAL = "trial"  # of a release that is being deployed
    LEAVING = "leaving"  # of the release before


class Viewer(Protocol):
    """Somebody who watches one dyno."""

    def show(self, data: bytes) -> None:
        """Take what the dyno wrote."""
        ...

    def leave(self) -> None:
        """Learn that its process has ended."""
        ...


@dataclass(eq=False, slots=True)
class Dyno:
    """A place in the formation.

    Args:
        instance: its name, command and port.
        kind: what is declared for its type.
        plan: how it runs.
        since: when its state last changed.
        one_off: it was started by flow run --detach, and goes when it ends.
        role: whether it belongs to the set that serves.
        state: what it is doing.
        process: what runs in it, or ran last.
        then: what to do when a stop by hand is done; None if nobody stopped it.
        failures: how often it has ended in a row.
        restarts: how often it was started again in all.
        up_at: monotonic seconds of its last start.
        due: when to start it, in monotonic seconds.
        kill_at: when to send KILL.
        told: it was sent TERM, and its grace runs.
        look_at: when to look at its memory, in monotonic seconds.
        warn_at: when to warn of its memory again.
        cycle_at: when it is old enough to be started anew.
        code: the exit code of the process that ended last.
        viewers: who watches it.
        readiness: finds out when it is up, as long as it is starting.
        question: the process that does so, if it takes one.
    """

    instance: Instance
    kind: Kind
    plan: Plan
    since: datetime
    one_off: bool = False
    role: Role = Role.MEMBER
    state: State = State.DOWN
    process: Process | None = None
    then: Then | None = None
    failures: int = 0
    restarts: int = 0
    up_at: float = 0.0
    due: float = NEVER
    kill_at: float = NEVER
    told: bool = False
    look_at: float = NEVER
    warn_at: float = 0.0
    cycle_at: float = NEVER
    code: int | None = None
    viewers: list[Viewer] = field(default_factory=list["Viewer"])
    readiness: Readiness | None = None
    question: Process | None = None

    @property
    def name(self) -> str:
        """What it is called: ``web.1``."""
        return self.instance.name

    @property
    def running(self) -> bool:
        """Whether a process of it lives, or what that one left behind."""
        return self.state in (State.STARTING, State.UP, State.STOPPING)

    @property
    def done(self) -> bool:
        """Whether its end is what was meant to happen."""
        return self.one_off or (self.kind.short_lived and not self.code)

    @property
    def awaited(self) -> bool:
        """Whether what comes after it has still to wait."""
        if self.kind.short_lived and not self.kind.ready:
            return self.state is not State.COMPLETE
        return self.state not in (State.UP, State.COMPLETE)

    def ended(self, process: Process) -> None:
        """Take note that its process has ended; those who watched it leave."""
        self.code = process.code
        for viewer in self.viewers:
            viewer.leave()
        self.viewers.clear()

    def renew(self, listed: Procfile) -> None:
        """Take the command that the Procfile has now for its next start."""
        if entry := listed.find(self.instance.type):
            self.instance = replace(self.instance, command=entry.command)
