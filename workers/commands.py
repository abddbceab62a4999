"""Commands: what RQ's clients ask of a worker, and flow's own ``Job.stop``.

RQ publishes them to a channel of the worker: stop a job, stop an execution, kill what
works, shut down. One that nobody hears, because the connection was gone, is lost, as in
RQ; the sender may repeat it. A job may be put back, and run elsewhere, while somebody
stops it: the stop follows it.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from flow import events
from flow.errors import ServerUnreachable
from flow.log import emit
from flow.record import Status
from flow.service import Service
from flow.store import running
from flow.workers import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flow.store.client import Held, Store
    from flow.store.running import Whereabouts
    from flow.workers.deadlines import Deadlines
    from flow.workers.process import Process


FOLLOWED = 10.0  # seconds for which a stop follows its job
WAITS = (Status.QUEUED, Status.SCHEDULED, Status.RATE_LIMITED)


class Missed(NamedTuple):
    """A job that a stop follows.

    Args:
        created: when it was enqueued; a later job may have its id.
        until: when the stop is given up, on the monotonic clock.
    """

    created: str
    until: float


class Commands(Service):
    """Does what a worker was asked.

    Args:
        store: where the jobs are.
        worker: its name.
        processes: those that live.
        deadlines: ends what runs.
        shut_down: stops the worker.
        monotonic: measures how long a stop follows its job.
    """

    interval = 1.0

    def __init__(
        self,
        store: Store,
        worker: str,
        processes: Callable[[], Collection[Process]],
        deadlines: Deadlines,
        shut_down: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Be asked nothing yet."""
        self._store = store
        self._worker = worker
        self._processes = processes
        self._deadlines = deadlines
        self._shut_down = shut_down
        self._monotonic = monotonic
        self._jobs: list[tuple[str, str]] = []  # job, and execution or nothing
        self._found: list[tuple[Process, Held]] = []  # what was told to end
        self._missed: dict[str, Missed] = {}  # by their ids

    def hear(self, message: bytes) -> None:
        """Take one command; what needs the server waits for ``run_once``."""
        command = _read(message)
        what = command.get("command")
        if what == "shutdown":
            self._shut_down()
        elif what == "kill-horse":
            self._kill()
        elif what in ("stop-job", "stop-execution"):
            self._ask(
                str(command.get("job_id", "")), str(command.get("execution_id", ""))
            )
        else:
            emit(
                events.CommandIgnored(repr(message[:100]), "it is none that flow knows")
            )

    def run_once(self) -> None:
        """Stop the jobs that were named."""
        held: dict[str, list[Held]] = {}  # read once: there may be thousands to stop
        missed = [(job_id, "") for job_id in self._missed]
        self._jobs = list(dict.fromkeys([*self._jobs, *missed]))
        while self._jobs:
            self._try(self._jobs[0][0], self._find, *self._jobs[0], held)
            del self._jobs[0]
        # On the board before it is asked what runs: what does not is never begun.
        self._deadlines.tell()
        while self._found:
            self._try(self._found[0][1].job_id, self._drop, *self._found[0])
            del self._found[0]

    def _ask(self, job_id: str, execution: str) -> None:
        self._jobs.append((job_id, execution))
        if not execution:
            self._missed.pop(job_id, None)  # whichever job has that id now is meant

    @staticmethod
    def _try(job_id: str, what: Callable[..., None], *words: object) -> None:
        try:
            what(*words)
        except ServerUnreachable:
            raise  # it waits for the server
        except Exception as error:  # noqa: BLE001 - no text, or a key that others spoilt
            # One that cannot be done must not hold up those behind it.
            emit(events.CommandIgnored(f"stop job {job_id[:100]!r}", str(error)))

    def _kill(self) -> None:
        for process in self._processes():
            if process.part.running():
                process.kill()

    def _find(self, job_id: str, execution: str, held: dict[str, list[Held]]) -> None:
        missed = self._missed.get(job_id)
        if (
            missed
            and running.whereabouts(self._store, job_id).created != missed.created
        ):
            del self._missed[job_id]  # it has ended, and another one has its id
            return
        queue = running.queue_of(self._store, job_id)
        if queue and queue not in held:
            held[queue] = self._store.held([queue])
        self._stop(job_id, execution, held.get(queue or "", []))

    def _stop(self, job_id: str, execution: str, held: list[Held]) -> None:
        ours = {process.name: process for process in self._processes()}
        held = [
            one
            for one in held
            if one.job_id == job_id
            and one.process in ours
            and execution in ("", one.execution)
        ]
        if not held and (execution or not self._follow(job_id)):
            emit(events.CommandIgnored(f"stop job {job_id}", "it does not run here"))
        for one in held:
            self._missed.pop(job_id, None)
            process = ours[one.process]
            self._deadlines.ask(process, one.number)
            self._found.append((process, one))
            emit(events.StopAsked(job_id))

    def _drop(self, process: Process, held: Held) -> None:
        """Settle what was claimed and has not begun; what has is told to end."""
        if held.number in process.part.running():
            return
        claim = running.described(self._store, held)
        if claim is None or not verdict.stop_unbegun(
            self._store, claim, self._worker, time.time()
        ):
            self._follow(held.job_id)

    def _follow(self, job_id: str) -> bool:
        """Stop a job that is not here (any more) where it waits or runs now.

        Returns:
            Whether anything came of it, or may at a later turn.
        """
        where = running.whereabouts(self._store, job_id)
        first = Missed(where.created, self._monotonic() + FOLLOWED)
        missed = self._missed.setdefault(job_id, first)
        came = self._stop_elsewhere(job_id, where)
        if came is None and self._monotonic() < missed.until:
            return True
        del self._missed[job_id]
        return bool(came)

    def _stop_elsewhere(self, job_id: str, where: Whereabouts) -> bool | None:
        """Return whether anything came of it; None when something still may."""
        if where.status in WAITS and self._store.cancel(job_id):
            emit(events.StopAsked(job_id))
            return True
        if where.status == Status.STARTED and where.worker != self._worker:
            return bool(running.stop(self._store, job_id))
        # Its process has just died, or it was claimed anew this moment.
        return None if where.status in (*WAITS, Status.STARTED) else False


def _read(message: bytes) -> dict[str, Any]:
    try:
        command: object = json.loads(message)
    except (ValueError, RecursionError):  # no JSON, or too deep
        return {}
    return cast("dict[str, Any]", command) if isinstance(command, dict) else {}
