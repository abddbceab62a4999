"""What a process may use: memory, with Heroku's R14 and R15, and time (cycling)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from flow.runner.processes import descendants
from flow.runner.processes.dyno import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.output.printer import Printer
    from flow.runner.processes.dyno import Dyno
    from flow.runner.world import World

EVERY = 2.0  # seconds between two looks at the memory of a dyno
WARN = 20.0  # seconds between two warnings, as on Heroku
VASTLY = 2  # times its quota is where Heroku kills
CHANCE = 0.15  # of the time, added by chance: Heroku's 216 minutes of 24 hours
HOUR = 3600.0


class Breach(Enum):
    """What is to happen to a dyno that has reached a limit."""

    KILL = "kill it, and start it again"
    CYCLE = "start it anew"


class Limits:
    """The limits that process types declare.

    Args:
        printer: shows and keeps what Heroku would write.
        world: time and chance.
        memory: returns the bytes that a process uses, with all that it has started.
    """

    def __init__(
        self,
        printer: Printer,
        world: World,
        memory: Callable[[int], int] = descendants.share,
    ) -> None:
        """Look at nothing yet."""
        self._printer, self._memory = printer, memory
        self._clock, self._chance = world.clock, world.chance

    def begin(self, dyno: Dyno) -> None:
        """Begin to look after a dyno that was just started."""
        now, cycle = self._clock(), dyno.kind.cycle * HOUR
        dyno.look_at = now + EVERY if dyno.kind.memory else NEVER
        dyno.warn_at = now
        dyno.cycle_at = now + cycle * (1 + CHANCE * self._chance()) if cycle else NEVER

    def end(self, dyno: Dyno) -> None:
        """Look after it no more."""
        dyno.look_at = dyno.cycle_at = NEVER

    def next_moment(self, dyno: Dyno) -> float:
        """Return when to look again, in monotonic seconds."""
        return min(dyno.look_at, dyno.cycle_at)

    def turn(self, dyno: Dyno) -> Breach | None:
        """Look at a dyno, if it is time; return what is to happen to it."""
        now = self._clock()
        if dyno.look_at <= now and dyno.process:
            dyno.look_at = now + EVERY
            if self._exceeds(dyno, self._memory(dyno.process.pid)):
                return Breach.KILL
        if dyno.cycle_at <= now:
            self._printer.report(dyno.name, "Cycling")
            return Breach.CYCLE
        return None

    def _exceeds(self, dyno: Dyno, used: int) -> bool:
        quota, now = dyno.kind.memory, self._clock()
        vastly = used >= VASTLY * quota
        if used <= quota or (now < dyno.warn_at and not vastly):
            return False
        dyno.warn_at = now + WARN
        running = f"Process running mem={used >> 20}M({used / quota:.1%})"
        self._printer.report(dyno.name, running)
        if vastly:
            said = "Error R15 (Memory quota vastly exceeded)"
            self._printer.report(dyno.name, said)
            self._printer.note(dyno.name, "Stopping process with SIGKILL")
        else:
            self._printer.report(dyno.name, "Error R14 (Memory quota exceeded)")
        return vastly
