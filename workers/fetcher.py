"""Fetcher: the one thread of a process that talks to Redis.

Each turn sends what ended and brings what runs next, in one round trip. In between it
waits: for an outcome, or for the supervisor's bell, which rings when a queue changed.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import deque
from typing import TYPE_CHECKING

from flow import events
from flow.log import emit
from flow.outcome import Ending, Outcome
from flow.store.client import Exchange
from flow.workers import executor
from flow.workers.resolve import resolve

if TYPE_CHECKING:
    from flow.config import WorkerConfig
    from flow.record import Claim
    from flow.store.client import Store
    from flow.workers.board import Board
    from flow.workers.pool import Pool
    from flow.workers.resolve import Work

LOOK = 1.0  # seconds after which an idle process looks without a bell
SILENCE = 10.0  # seconds without a beat after which nothing new is started


class Fetcher:
    """Feeds a pool.

    Args:
        store: where the jobs are; it waits while the server is away.
        process: the process's name in execution ids.
        worker: the worker's name.
        config: what the worker was told.
        board: tells whether to stop, and whether the supervisor beats.
        bell: a descriptor that becomes readable when there may be work.
    """

    def __init__(
        self,
        store: Store,
        process: str,
        worker: str,
        config: WorkerConfig,
        board: Board,
        bell: int,
    ) -> None:
        """Prepare; nothing is claimed before ``run``."""
        self._store = store
        self._process = process
        self._worker = worker
        self._config = config
        self._board = board
        self._bell = bell
        self._outcomes: deque[Outcome] = deque()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._turn = 0
        self._next = 1
        self._rung = True
        self._guess = 0
        self._unknown: set[str] = set()

    def finish(self, work: Work, outcome: Outcome) -> None:
        """Take an outcome, from any thread; it is sent at once."""
        _report(work, outcome)
        self._put(outcome)

    def run(self, pool: Pool) -> None:
        """Claim and settle until the worker stops, or a burst is over."""
        while True:
            stopping = self._board.stopping
            sent = [self._outcomes.popleft() for _ in range(len(self._outcomes))]
            # In a burst, what ended may have enqueued more; no bell is waited for.
            self._rung = self._rung or (self._config.burst and bool(sent))
            free = 0 if stopping or not self._rung else self._room(pool)
            if sent or free:
                self._exchange(pool, sent, free)
            elif pool.idle and not self._outcomes and (stopping or self._drained):
                return
            else:
                self._wait()

    @property
    def _drained(self) -> bool:
        return self._config.burst and not self._rung

    def _room(self, pool: Pool) -> int:
        if self._board.beat_age() > SILENCE:
            return 0
        plain = max(0, pool.free_plain)
        # What comes may be plain or async: twice as many as were async lately.
        return plain + min(self._guess, max(0, pool.free_async))

    def _exchange(self, pool: Pool, outcomes: list[Outcome], free: int) -> None:
        self._turn += 1
        refused, claims = self._store.exchange(
            Exchange(
                self._process,
                self._turn,
                self._next,
                free,
                self._worker,
                self._config.queues,
                outcomes,
            )
        )
        self._next += len(claims)
        if free:
            self._rung = len(claims) >= free
        for job_id, why in refused:
            emit(events.OutcomeRefused(job_id, why))
        if claims:
            self._start(pool, claims)

    def _start(self, pool: Pool, claims: list[Claim]) -> None:
        surplus: list[Claim] = []
        found_async = 0
        for claim in claims:
            work = self._prepare(claim)
            if work is None:
                continue
            found_async += work.is_async
            if self._board.stopping or not pool.take(work):
                surplus.append(claim)
        self._guess = min(
            self._config.concurrency,
            0 if found_async < len(claims) else 2 * max(found_async, self._guess),
        )
        if surplus:
            self._store.unclaim(surplus)
            self._rung = True

    def _prepare(self, claim: Claim) -> Work | None:
        try:
            work = resolve(claim, strict=self._config.strict)
        except BaseException as error:  # noqa: BLE001 - it imports the app's modules
            outcome = executor.unresolved(claim, error, time.time())
            self._tell_unresolved(claim, outcome)
            self._put(outcome)
            return None
        if claim.on_crash is None and self._must_not_rerun(work):
            self._store.protect(claim)
        return work

    def _must_not_rerun(self, work: Work) -> bool:
        declared = work.task.on_crash if work.task else None
        return (declared or self._config.on_crash) == "fail"

    def _tell_unresolved(self, claim: Claim, outcome: Outcome) -> None:
        if outcome.ending is not Ending.POSTPONED:
            emit(events.JobFailed(claim.job_id, claim.job_id, outcome.error))
            return
        name = outcome.error.partition(":")[0]
        if name not in self._unknown:
            self._unknown.add(name)
            emit(events.TaskUnknown(name, outcome.error))

    def _put(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        with contextlib.suppress(BlockingIOError):  # full of wake-ups already
            os.write(self._waker, b".")

    def _wait(self) -> None:
        ready, _, _ = select.select([self._wake, self._bell], [], [], LOOK)
        for descriptor in ready:
            if not os.read(descriptor, 4096):
                os._exit(1)  # the bell's other end is gone, so the supervisor is
        # Without a bell for a second it looks itself: a bell can be lost, never a job.
        # An outcome frees a slot, and the queue may have grown while there was none.
        self._rung = self._rung or self._bell in ready or not ready


def _report(work: Work, outcome: Outcome) -> None:
    job_id = work.claim.job_id
    if outcome.ending is Ending.FINISHED:
        seconds = outcome.ended - outcome.started
        emit(events.JobFinished(job_id, work.name, seconds))
    elif outcome.ending is Ending.RETRY:
        emit(events.JobRetried(job_id, work.name, outcome.error, outcome.delay))
    elif outcome.ending is Ending.INTERRUPTED:
        emit(events.JobInterrupted(job_id, work.name))
    else:
        emit(events.JobFailed(job_id, work.name, outcome.error))
