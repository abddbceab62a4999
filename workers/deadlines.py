"""Deadlines: what was to end and goes on is ended with its process.

A job has a soft timeout, and anybody may stop it; both raise an error inside it, which
code in C may never see and a job may swallow. The supervisor looks on: from shared
memory it knows what runs, and for how long it may.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow import events
from flow.log import emit
from flow.service import Service
from flow.workers.board import ASKED
from flow.workers.verdict import Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flow.workers.process import Process

HELD_UP = 5.0  # seconds without a look after which everything may have stood still
UNSEEN = 60.0  # seconds after which what was asked to end and never ran is forgotten


@dataclass(slots=True)
class Asked:
    """An execution that is to end.

    Args:
        since: monotonic seconds when somebody asked for it.
        told: when its process was first told, or None: that takes a few at a time.
        ran: whether it was seen to run since.
    """

    since: float
    told: float | None = None
    ran: bool = False


class Deadlines(Service):
    """Has executions end that were asked to, or that run too long.

    Args:
        processes: those that live.
        patience: seconds that an execution may go on when it was to end.
        monotonic: the clock.
        now: the wall clock, unix seconds.
    """

    interval = 1.0
    asks_server = False

    def __init__(
        self,
        processes: Callable[[], Collection[Process]],
        patience: float,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Know of nothing that runs yet."""
        self._processes = processes
        self._patience = patience
        self._monotonic = monotonic
        self._now = now
        self._seen: dict[tuple[str, int], float] = {}
        self._asked: dict[tuple[str, int], Asked] = {}
        self._looked = monotonic()

    def ask(self, process: Process, execution: int) -> None:
        """Have an execution end, once ``tell`` tells it; it has a while for it."""
        self._asked.setdefault((process.name, execution), Asked(self._monotonic()))

    def tell(self) -> None:
        """Tell the processes now what is to end, and not only at the next look."""
        for process in self._processes():
            self._tell(process, process.part.limits())

    def run_once(self) -> None:
        """Look at what runs, once."""
        self._forgive()
        seen: dict[tuple[str, int], float] = {}
        names: set[str] = set()
        for process in self._processes():
            names.add(process.name)
            limits = process.part.limits()
            for execution in limits:
                one = (process.name, execution)
                # A second late at most, and never early.
                seen[one] = self._seen.get(one, self._monotonic())
            self._doubt(process)
            self._tell(process, limits)
            self._judge(process, limits, seen)
        self._seen = seen
        self._asked = {o: asked for o, asked in self._asked.items() if o[0] in names}

    def _forgive(self) -> None:
        """Leave out the time in which the worker, most likely all of it, was still."""
        now = self._monotonic()
        lost, self._looked = max(0.0, now - self._looked - HELD_UP), now
        if lost:
            self._seen = {one: at + lost for one, at in self._seen.items()}
            for asked in self._asked.values():
                asked.since += lost
                asked.told = None if asked.told is None else asked.told + lost

    def _doubt(self, process: Process) -> None:
        """Ask for the end of what the process itself has found to be another's."""
        for execution in process.part.doubted.numbers():
            one = (process.name, execution)
            self._asked.setdefault(one, Asked(self._monotonic()))

    def _tell(self, process: Process, limits: dict[int, float]) -> None:
        now = self._monotonic()
        mine = {n: a for (name, n), a in self._asked.items() if name == process.name}
        if not mine:
            process.part.ask(())
            return
        for execution, asked in list(mine.items()):
            asked.ran = asked.ran or execution in limits
            # What was claimed begins in a moment or goes back; its loop may be held up.
            if execution not in limits and (asked.ran or now - asked.since > UNSEEN):
                del self._asked[process.name, execution], mine[execution]
        first = _in_turn(mine, limits)[:ASKED]
        process.part.ask(first)
        for execution in first:
            if execution in limits and mine[execution].told is None:
                mine[execution].told = now
        if not limits.keys().isdisjoint(first):
            # Each second again: one may have come too early, or was swallowed.
            os.kill(process.pid, signal.SIGURG)

    def _judge(
        self,
        process: Process,
        limits: dict[int, float],
        seen: dict[tuple[str, int], float],
    ) -> None:
        found: dict[int, Verdict] = {}
        for execution, seconds in limits.items():
            one = (process.name, execution)
            ran = self._monotonic() - seen[one]
            asked = self._asked.get(one)
            told = asked.told if asked is not None else None
            began = self._now() - ran
            if told is not None and self._monotonic() - told > self._patience:
                found[execution] = Verdict(Reason.STOPPED, began)
            elif 0 <= seconds < ran - self._patience:
                found[execution] = Verdict(Reason.TIMEOUT, began)
        for execution in _ended(process) if found else ():
            found.pop(execution, None)
        if found and not process.verdicts:
            process.verdicts.update(found)
            emit(events.ProcessKilled(process.pid, self._patience, len(found)))
            process.kill()


def _in_turn(mine: dict[int, Asked], limits: dict[int, float]) -> list[int]:
    """Return what is to end in the order in which it is told.

    Who was told stays told, and the others take the places of those that ended: what
    runs before what may never begin, and of that the latest, which may soonest.
    """
    going = sorted(mine.keys() & limits.keys(), key=lambda n: (mine[n].told is None, n))
    return [*going, *sorted(mine.keys() - limits.keys(), reverse=True)]


def _ended(process: Process) -> set[int]:
    """Return what has ended already, and waits for the server in the outbox."""
    unsent = process.part.unsent()
    # It is written just now: what has ended will be gone at the next look.
    return process.part.running() if unsent is None else set(unsent)
