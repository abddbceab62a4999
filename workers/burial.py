"""Burial: what a worker's own dead processes held goes back.

It is done twice: at once, and again a little later, because a claim that the process
had sent when it died may reach the server only now.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flow.events import JobsRecovered
from flow.log import emit
from flow.service import Service
from flow.store.client import Exchange
from flow.workers.process import new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store
    from flow.workers.outbox import Packed

AGAIN = 2.0  # seconds between the two


@dataclass(slots=True)
class Dead:
    """A process that was reaped.

    Args:
        name: its name in execution ids.
        running: the numbers of the executions that it ran.
        loading: the number of the one whose code it was loading; 0 for none.
        how: how it died, in words.
        stopping: whether the worker was stopping: then nobody is to blame.
        unsent: the outcomes it had reached and not sent, oldest first.
        last: monotonic seconds after which it is looked at for the last time.
    """

    name: str
    running: set[int]
    loading: int
    how: str
    stopping: bool
    unsent: list[Packed] = field(default_factory=list["Packed"])
    last: float = 0.0


class Burial(Service):
    """Puts back what dead processes of this worker held.

    Args:
        store: where the jobs are.
        worker: the worker's name.
        monotonic: the clock between the two times.
    """

    interval = 1.0

    def __init__(
        self,
        store: Store,
        worker: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know of no dead yet."""
        self._store = store
        self._worker = worker
        self._monotonic = monotonic
        self._dead: list[Dead] = []
        self._process, self._turn = new_name(), 0

    def add(self, dead: Dead) -> None:
        """Note a process that was reaped; the next turn puts back what it held."""
        dead.last = self._monotonic() + AGAIN
        self._dead.append(dead)

    def run_once(self) -> None:
        """Look at every dead process once."""
        for dead in list(self._dead):
            self._put_back(dead)
            if self._monotonic() >= dead.last:
                self._store.leave([dead.name])
                self._dead.remove(dead)

    def finish(self) -> None:
        """Put everything back now: the worker ends."""
        for dead in list(self._dead):
            self._put_back(dead)
            self._store.leave([dead.name])
            self._dead.remove(dead)
        self._store.leave([self._process])

    def _send(self, dead: Dead) -> None:
        """Send what it had reached and not sent: those jobs are done."""
        if dead.unsent:
            self._turn += 1
            ask = Exchange(
                self._process, self._turn, 1, 0, self._worker, (), dead.unsent
            )
            self._store.exchange(ask)
            dead.unsent = []

    def _put_back(self, dead: Dead) -> None:
        self._send(dead)
        held = [
            (one, _how(dead, one.number))
            for one in self._store.held(self._store.queues())
            if one.process == dead.name
        ]
        if not held:
            return
        text = f"flow.errors.ProcessLost: the job's process died: {dead.how}"
        if dead.stopping:
            text = (
                "flow.errors.Interrupted: the worker stopped while the job ran, "
                'and on_crash="fail" forbids to run it again'
            )
        back, lost = self._store.recover(held, worker=self._worker, text=text)
        emit(JobsRecovered(dead.name, back, lost))


def _how(dead: Dead, execution: int) -> str:
    """Return what recover.lua calls it."""
    if execution in dead.running:
        return "stopped" if dead.stopping else "crashed"
    if execution == dead.loading and not dead.stopping:
        return "loading"
    return "claimed"
