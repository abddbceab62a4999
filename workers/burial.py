"""Burial: what a worker's own dead processes held goes back.

It is done twice: at once, and again a little later, because a claim that the process
had sent when it died may reach the server only now.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flow.events import JobsRecovered, OutcomeRefused
from flow.log import emit
from flow.service import Service
from flow.store import running
from flow.workers import timeout, verdict
from flow.workers.verdict import Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.record import Claim
    from flow.store.client import Held, Store
    from flow.workers.outbox import Packed
    from flow.workers.settler import Settler

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
        verdicts: the executions for whose end it was killed, and why.
        asked: those that somebody had asked to end: they do not run again.
    """

    name: str
    running: set[int]
    loading: int
    how: str
    stopping: bool
    unsent: list[Packed] = field(default_factory=list["Packed"])
    last: float = 0.0
    verdicts: dict[int, Verdict] = field(default_factory=dict[int, Verdict])
    asked: set[int] = field(default_factory=set[int])


class Burial(Service):
    """Puts back what dead processes of this worker held.

    Args:
        store: where the jobs are.
        settler: sends what they had reached.
        queues: what they served.
        monotonic: the clock between the two times.
        now: the wall clock, unix seconds.
    """

    interval = 1.0

    def __init__(
        self,
        store: Store,
        settler: Settler,
        queues: Sequence[str],
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Know of no dead yet."""
        self._now = now
        self._store = store
        self._settler = settler
        self._queues = queues
        self._monotonic = monotonic
        self._dead: list[Dead] = []

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

    def _send(self, dead: Dead) -> None:
        """Send what it had reached and not sent: those jobs are done."""
        if dead.unsent:
            for job_id, why in self._settler.settle(dead.unsent):
                emit(OutcomeRefused(job_id, why))
            dead.unsent = []

    def _judge(self, dead: Dead, held: list[Held]) -> list[Held]:
        """Settle what it was killed for or asked to end; return what else it held."""
        asked = dict.fromkeys(dead.asked, Verdict(Reason.STOPPED, self._now()))
        verdicts = {**asked, **dead.verdicts}
        for one in [one for one in held if one.number in verdicts]:
            held.remove(one)
            claim = running.described(self._store, one)
            if claim is None:
                self._store.recover(
                    [(one, "claimed")], worker=self._settler.worker, text=""
                )
                continue
            self._pronounce(verdicts[one.number], claim)
        return held

    def _pronounce(self, why: Verdict, claim: Claim) -> None:
        outcome = why.outcome(claim, self._now())
        refused = running.judge(
            self._store,
            outcome,
            worker=self._settler.worker,
            text=timeout.text(claim.timeout),
            how=why.reason.value,
        )
        if refused:
            emit(OutcomeRefused(claim.job_id, refused))
        verdict.tell(claim, outcome)

    def _put_back(self, dead: Dead) -> None:
        self._send(dead)
        all_held = self._store.held(self._queues)
        mine = self._judge(dead, [one for one in all_held if one.process == dead.name])
        held = [(one, _how(dead, one.number)) for one in mine]
        if not held:
            return
        text = f"flow.errors.ProcessLost: the job's process died: {dead.how}"
        if dead.stopping or dead.verdicts:
            why = "the worker stopped while the job ran"
            if dead.verdicts:
                why = "its process was killed, because another job did not end"
            text = (
                f"flow.errors.Interrupted: {why}, "
                'and on_crash="fail" forbids to run it again'
            )
        back, lost = self._store.recover(held, worker=self._settler.worker, text=text)
        emit(JobsRecovered(dead.name, back, lost))


def _how(dead: Dead, execution: int) -> str:
    """Return what recover.lua calls it."""
    blameless = dead.stopping or dead.verdicts
    if execution in dead.running:
        return "stopped" if blameless else "crashed"
    if execution == dead.loading and not blameless:
        return "loading"
    return "claimed"
