"""The pool of a process: its slots, and who runs what in them.

Plain jobs run in the main thread, or in threads when there are several; ``async def``
jobs on one event loop. The pool says how many jobs it can take.
"""

from __future__ import annotations

import asyncio
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from flow.outcome import Ending
from flow.workers import executor, timeout
from flow.workers.board import number
from flow.workers.line import PROMPT, Line
from flow.workers.loop import Loop
from flow.workers.resolve import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flow.outcome import Outcome
    from flow.workers.board import Part

FAILED = (
    *(Ending.FAILED, Ending.RETRY, Ending.STOPPED),
    # As RQ counts them.
    *(Ending.EXHAUSTED, Ending.RETURNED, Ending.RETURNED_FIRST),
)


class Feeder(Protocol):
    """What stands between a pool and Redis; see ``flow.workers.fetcher``."""

    def finish(self, work: Work, outcome: Outcome) -> bool:
        """Take an outcome while its slot is still taken; say whether it can wait."""
        ...

    def may_begin(self, work: Work) -> bool:
        """Say whether a job may begin that must not run twice."""
        ...

    def stop_unbegun(self, work: Work) -> None:
        """Settle a job that was stopped before it began."""
        ...

    def put_back(self, works: list[Work]) -> None:
        """Have works go back that were taken and must not begin here."""
        ...

    def run_apart(self, work: Work) -> Outcome | None:
        """Have a job run in a process of its own; None if that died with it."""
        ...

    def wake(self) -> None:
        """Hear that a slot is free, but for the main thread's."""
        ...

    def turn(self, pool: Pool) -> bool:
        """Make a turn with Redis: the main thread has nothing left to run."""
        ...

    def send(self, pool: Pool) -> None:
        """Send all outcomes that there are now."""
        ...

    def rest(self) -> None:
        """Hear that such a turn brought nothing either."""
        ...


class Pool:
    """Runs work, and hands on the outcomes.

    Args:
        threads: plain jobs at a time; one runs in the main thread.
        concurrency: ``async def`` jobs at a time.
        part: where the supervisor sees what runs.
        feeder: brings the jobs, and takes the outcomes.
        stopping: whether the worker was told to stop.
    """

    def __init__(
        self,
        threads: int,
        concurrency: int,
        part: Part,
        feeder: Feeder,
        stopping: Callable[[], bool],
    ) -> None:
        """Start the threads, if there are several."""
        self._threads = threads
        self._concurrency = concurrency
        self._part = part
        self._feeder = feeder
        self.line = Line()
        self._stopping = stopping
        self._plain: SimpleQueue[Work | None] = SimpleQueue()
        self._loop = Loop(self._begin_async, self._done, stopping)
        self._lock = threading.Lock()
        self._busy_plain = 0
        self._busy_async = 0
        self._closed = threading.Event()
        if threads > 1:
            for number in range(threads):
                threading.Thread(
                    target=self._run_plain, name=f"flow-slot-{number}", daemon=True
                ).start()

    @property
    def free_plain(self) -> int:
        """How many plain jobs it can take now, those for the main thread's line too."""
        ahead = self.line.ahead if self._threads == 1 else 0
        return self._threads + ahead - self._busy_plain

    @property
    def free_async(self) -> int:
        """How many ``async def`` jobs it can take now."""
        return self._concurrency - self._busy_async

    @property
    def taken(self) -> int:
        """How many jobs it has, those that have not begun too."""
        return self._busy_plain + self._busy_async

    @property
    def takes_async_only(self) -> bool:
        """Whether plain jobs have taken all their slots, and coroutines have not."""
        return self.free_plain <= 0 < self.free_async

    @property
    def idle(self) -> bool:
        """Whether nothing runs."""
        return self.taken == 0

    @property
    def may_be_relieved(self) -> bool:
        """Whether another process may take plain jobs though this one has not ended.

        Where one plain job at a time was asked for, there must never be two.
        """
        return self._threads > 1 or self._busy_plain == 0

    def take(self, work: Work) -> bool:
        """Run work in a free slot of its kind; return False when there is none."""
        with self._lock:
            if work.is_async:
                if self.free_async <= 0:
                    return False
                self._busy_async += 1
            else:
                if self.free_plain <= 0:
                    return False
                self._busy_plain += 1
        if work.is_async:
            self._loop.submit(work)
        elif self._threads == 1:
            self.line.put(work)
        else:
            self._plain.put(work)
        return True

    @property
    def all_begun(self) -> bool:
        """Whether nothing that a plain slot is to run waits in this process."""
        return self.line.empty and self._plain.empty()

    def is_last(self, work: Work) -> bool:
        """Return whether no job may stand behind this one in the main thread's line."""
        return self._threads == 1 and not self.line.is_short(work.name)

    def withdraw(self) -> list[Work]:
        """Take out what has been taken and has not begun, in its order."""
        works = self.line.withdraw()
        with self._lock:
            self._busy_plain -= len(works)
        return works

    def under_way(self) -> list[Work]:
        """Return what runs now."""
        plain = [work for args in timeout.under_way() for work in _works(args)]
        return [*plain, *self._loop.under_way()]

    def stop(self, executions: Collection[int]) -> None:
        """End these executions, if they run; called by a signal in the main thread.

        Raises:
            JobStopped: the job that runs in the main thread is one of them.
        """

        def wanted(work: Work) -> bool:
            return number(work.claim.execution) in executions

        self._loop.stop(wanted)
        timeout.stop(lambda args: any(map(wanted, _works(args))))

    def run_main(self) -> None:
        """Run plain jobs in this, the main thread, until ``close`` is called."""
        if self._threads == 1:
            self._run_line()
        else:
            self._closed.wait()

    def close(self) -> None:
        """Let ``run_main`` return once what was taken before has ended."""
        self._closed.set()
        self.line.close()
        for _ in range(self._threads):
            self._plain.put(None)

    def _run_line(self) -> None:
        unsent = 0.0
        while (work := self.line.next()) is not None:
            if not self.line.is_short(work.name):
                # Nothing waits behind a job that may be long: no outcome, no other job.
                self._feeder.send(self)
                unsent = 0.0
            if work.isolated:
                self._run_apart(work)
                unsent = float("-inf")  # it has taken longer than others may wait
            elif self._begin(work):
                outcome = executor.execute(work, time.time, self._stopping)
                self.line.ended(outcome.ended - outcome.started, work.name)
                unsent = unsent or outcome.ended
                if not self._settle(work, outcome):
                    unsent = float("-inf")  # it cannot wait
            else:
                self.line.dropped()
            if self.line.empty or time.time() - unsent > PROMPT:
                self._turn()
                unsent = 0.0

    def _turn(self) -> None:
        while self._feeder.turn(self) and self.line.empty:
            pass
        if self.line.empty:
            self._feeder.rest()

    def _run_plain(self) -> None:
        while (work := self._plain.get()) is not None:
            if work.isolated:
                self._run_apart(work)
            elif self._begin(work):
                outcome = executor.execute(work, time.time, self._stopping)
                self._done(work, outcome)

    def _run_apart(self, work: Work) -> None:
        if not self._begin(work):
            self.line.dropped()
            return
        # The supervisor knows that process, and ends it alone.
        self._part.allow(number(work.claim.execution), -1.0)
        outcome = self._feeder.run_apart(work)
        if outcome is None:
            self.line.dropped()
            self._drop(work)
        else:
            # The fork counts: what stands behind the next one has to wait for it.
            self.line.ended(self.line.age, work.name)
            self._done(work, outcome)

    def _begin(self, work: Work) -> bool:
        """Show that a job runs; return False if it may not any more."""
        if not self._show(work):
            if self._is_stopped(work):
                self._feeder.stop_unbegun(work)
            else:
                # The job before it kept the interpreter, and this went back meanwhile.
                self._part.end(number(work.claim.execution))
                self._feeder.put_back([work, *self.withdraw()])
            self._drop(work)
            return False
        if work.once and not self._feeder.may_begin(work):
            self._drop(work)
            return False
        return True

    async def _begin_async(self, work: Work) -> bool:
        if not self._show(work):
            if self._is_stopped(work):
                await asyncio.to_thread(self._feeder.stop_unbegun, work)
            else:
                self._part.end(number(work.claim.execution))
                await asyncio.to_thread(self._feeder.put_back, [work])
            self._drop(work)
            return False
        if work.once and not await asyncio.to_thread(self._feeder.may_begin, work):
            self._drop(work)
            return False
        return True

    def _show(self, work: Work) -> bool:
        claim = work.claim
        return self._part.begin(number(claim.execution), claim.timeout)

    def _is_stopped(self, work: Work) -> bool:
        return number(work.claim.execution) in self._part.asked.numbers()

    def _drop(self, work: Work) -> None:
        self._part.end(number(work.claim.execution))
        self._free(work)
        self._feeder.wake()

    def _done(self, work: Work, outcome: Outcome) -> None:
        self._settle(work, outcome)
        self._feeder.wake()

    def _settle(self, work: Work, outcome: Outcome) -> bool:
        seconds = outcome.ended - outcome.started
        self._part.count(seconds=seconds, failed=outcome.ending in FAILED)
        # Before the slot is free: a process that looks idle must have sent everything.
        can_wait = self._feeder.finish(work, outcome)
        self._free(work)
        return can_wait

    def _free(self, work: Work) -> None:
        with self._lock:
            if work.is_async:
                self._busy_async -= 1
            else:
                self._busy_plain -= 1


def _works(args: tuple[Any, ...]) -> list[Work]:
    """Return what a call runs; nothing, if it is one of RQ's callbacks."""
    return [one for one in args if isinstance(one, Work)]
