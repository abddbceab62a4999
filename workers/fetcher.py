"""Fetcher: a process's turns with Redis.

Each turn sends what ended and brings what runs next, in one round trip. The fetcher's
thread waits in between: for an outcome, or for the supervisor's bell, which rings when
a queue changed. The main thread makes turns too, between short jobs.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from flow import codec, events, keys
from flow.log import emit
from flow.outcome import Ending, Outcome
from flow.store.client import Exchange
from flow.store.delays import release_more
from flow.workers import callbacks, executor, peek, verdict
from flow.workers.board import Retirement, number
from flow.workers.forgotten import Forgotten
from flow.workers.isolation import Apart
from flow.workers.line import PATIENT, PROMPT
from flow.workers.outbox import AT_ONCE, EXECUTION, JOB
from flow.workers.resolve import broken, resolve
from flow.workers.watch import EVERY, Watch
from flow.workers.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.record import Claim
    from flow.store.client import Store
    from flow.workers.child import Seat
    from flow.workers.outbox import Packed
    from flow.workers.pool import Pool
    from flow.workers.resolve import Work

LINGER = 0.05  # seconds between two looks whether a process that ends is idle
LOOK = 5.0  # seconds after which an idle process looks without a bell
NO_END = sys.maxsize
CUT_OFF: dict[Ending, type[events.JobInterrupted | events.JobWasStopped]] = {
    Ending.INTERRUPTED: events.JobInterrupted,
    Ending.STOPPED: events.JobWasStopped,
}
ASKED = (Ending.ASKED, Ending.RETURNED, Ending.RETURNED_FIRST)
SOON = 0.5  # seconds between two looks of a process that waits for its supervisor
SILENCE = 10.0  # seconds without a beat after which nothing new is started


class Unsent(NamedTuple):
    """An outcome that Redis does not have yet.

    Args:
        packed: as settle.lua takes it.
        kept: whether the outbox has it, too.
        told: what is to be said when it is settled.
    """

    packed: Packed
    kept: bool
    told: events.Event | None


class Fetcher:
    """Feeds a pool.

    Args:
        store: where the jobs are; it waits while the server is away.
        seat: what the process was given by its supervisor.
        signalled: whether this process was just told to stop, by whoever told it: its
            supervisor may follow, and what was interrupted must not run here again.
    """

    def __init__(
        self, store: Store, seat: Seat, signalled: Callable[[], bool] = lambda: False
    ) -> None:
        """Prepare; nothing is claimed before ``run``."""
        self._store, self._signalled = store, signalled
        self._process, self._worker = seat.process, seat.worker
        self._config = seat.config
        self._board = seat.board
        self._part = seat.part
        self._bell = seat.bell
        self._outcomes: deque[Unsent] = deque()
        self._keeping = threading.Lock()
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._poll = _polling(self._woken, self._bell)
        self._turn = 0
        self._next = 1
        self._rung = True
        # Many processes need not each look so often: one of them does.
        self._look = LOOK * max(1.0, seat.config.processes / 4)
        self._left = seat.config.max_jobs or NO_END
        self._parent = seat.parent
        self._guess = 0
        self._deaf_until = 0.0
        self._unknown: set[str] = set()
        self._lock = threading.RLock()
        self._watch, self._forgotten = Watch(store, seat), Forgotten(store, seat)
        self._webhooks, self._peek = Webhooks(), peek.Peek(store, seat.config.queues)
        self._apart = Apart(store, seat, self._lock)

    def finish(self, work: Work, outcome: Outcome) -> bool:
        """Take an outcome, from any thread; ``wake`` has it sent at once.

        Returns:
            Whether it is safe from a kill already; else it wants to be sent at once.
        """
        return self._keep(outcome, _told(work, outcome))

    def _keep(self, outcome: Outcome, told: events.Event | None = None) -> bool:
        if outcome.claim.extras is not None:
            self._webhooks.note(outcome)
        packed = codec.pack_outcome(outcome)
        with self._keeping:
            # In the same order as there: what is sent leaves the outbox at its head.
            kept = self._part.outbox.put(packed)
            self._outcomes.append(Unsent(packed, kept, told))
        return kept

    def wake(self) -> None:
        """Have the thread look: an outcome is there, and a slot is free."""
        with contextlib.suppress(BlockingIOError):  # full of wake-ups already
            os.write(self._waker, b".")

    def rest(self) -> None:
        """Have the thread look whether a burst is over; else it waits for the bell."""
        if self._config.burst:
            self.wake()

    def run(self, pool: Pool) -> None:
        """Claim and settle until the worker stops, or a burst is over.

        While the main thread runs short jobs it makes the turns itself, and this one
        only looks whether a job has turned out long.
        """
        while True:
            if self._hot(pool):
                self._wait(PROMPT)
                continue
            if pool.line.age > PATIENT or self._rests:
                self._give_back(pool)
            if self.turn(pool) or self._may_claim_async(pool):
                continue
            self._retire(pool)
            if self._over(pool):
                self._webhooks.close()
                return
            self._look_after(pool)
            self._wait(self._pause(pool))

    def turn(self, pool: Pool, *, claim: bool = True) -> bool:
        """Send what ended and claim what there is room for, in one round trip.

        Args:
            pool: what runs, and has room.
            claim: whether to claim at all.

        Returns:
            Whether there was anything to send or to ask for.
        """
        with self._lock:
            # The room first: the outcome of a slot that is free by now goes with it.
            may_claim = claim and not self._rests and not self._signalled()
            room = self._room(pool) if may_claim else 0
            many = min(len(self._outcomes), AT_ONCE)
            sent = [self._outcomes.popleft() for _ in range(many)]
            if sent:
                self._listen_again()
            free = room if self._rung else 0
            if not sent and not free:
                return False
            self._exchange(pool, sent, free)
            return True

    def send(self, pool: Pool) -> None:
        """Send what has ended by now, in as many round trips as it takes."""
        for _ in range(0, len(self._outcomes), AT_ONCE):
            self.turn(pool, claim=False)

    @staticmethod
    def _hot(pool: Pool) -> bool:
        return not pool.line.idle and pool.line.age < PROMPT

    @property
    def _rests(self) -> bool:
        return self._board.quiet or self._part.retires

    @property
    def _ends(self) -> bool:
        return self._board.stopping or self._part.retires

    def _retire(self, pool: Pool) -> None:
        with self._lock:  # a turn that is under way may give claims back
            if self._left <= 0 and pool.line.empty and not self._part.retires:
                self._part.retirement = Retirement.JOBS

    def _pause(self, pool: Pool) -> float:
        """Return how long to wait for a wake-up, and let go what is not needed."""
        if self._outcomes or not pool.line.empty:
            return PROMPT
        if self._signalled():
            return SOON
        if self._left > 0 and not self._ends:
            if pool.idle:
                return self._look
            return peek.EVERY if self._takes_async_only(pool) else EVERY
        if not self._part.vacant and pool.may_be_relieved and not self._board.stopping:
            self._part.vacant = True
            # It looks after its children, and finds that this one wants a successor.
            os.kill(self._parent, signal.SIGCHLD)
        return LINGER

    def _takes_async_only(self, pool: Pool) -> bool:
        """Whether there is room for nothing but coroutines, and none is expected."""
        return self._peek.useful and self._guess == 0 and pool.takes_async_only

    def _may_claim_async(self, pool: Pool) -> bool:
        """Expect a coroutine if one is next, though a plain job has not ended."""
        with self._lock:
            if self._rests or not self._takes_async_only(pool):
                return False
            if self._peek.finds_async():
                self._guess, self._rung = 1, True
            return self._guess > 0

    def _look_after(self, pool: Pool) -> None:
        with self._lock:
            if pool.all_begun:
                self._part.claimed = 0
            self._watch.look(pool)
            self._put_back_forgotten(pool, self._next)

    def _over(self, pool: Pool) -> bool:
        if not pool.idle or self._outcomes:
            return False
        return self._ends or self._drained()

    def _give_back(self, pool: Pool) -> None:
        """Put back what stands behind a long job, or has not begun when all stops."""
        with self._lock:
            claims = [work.claim for work in pool.withdraw()]
            if claims:
                self._unclaim(claims)

    def _unclaim(self, claims: list[Claim]) -> None:
        self._store.unclaim(claims)
        self._left += len(claims)

    def _drained(self) -> bool:
        if not self._config.burst or self._rung:
            return False
        # A turn that met a thousand leftovers came back without what is behind them.
        ask = self._store.link.command
        if not ask("EXISTS", keys.SUSPENDED):
            open_ = set(self._config.queues) - self._store.paused()
            self._rung = any(ask("LLEN", keys.queue(queue)) for queue in open_)
            if ask("EXISTS", keys.RELEASING):
                # Jobs wait for one that ended here, more than it let go at once.
                release_more(self._store.link, time.time())
                self._rung = True
        if self._rung:
            self.wake()
        return not self._rung

    def _listen_again(self) -> None:
        # A slot is free for what found none; and in a burst, which waits for no bell,
        # what ended may have enqueued more.
        self._rung = self._rung or self._config.burst or self._deaf_until > 0
        self._deaf_until = 0.0

    def _room(self, pool: Pool) -> int:
        if self._board.beat_age() > SILENCE:
            return 0
        plain = max(0, pool.free_plain)
        # What comes may be plain or async: twice as many as were async lately.
        room = plain + min(self._guess, max(0, pool.free_async))
        return min(room, self._left, AT_ONCE)

    def _exchange(self, pool: Pool, outcomes: list[Unsent], free: int) -> None:
        if free:
            # Before the reply: a bell that rings while it is under way must stay heard.
            self._rung = False
            # Before they can come: what runs then may keep the interpreter to itself.
            self._part.claimed = self._next + free - 1
        self._turn += 1
        first = self._next
        refused, claims = self._store.exchange(
            Exchange(
                self._process,
                self._turn,
                first,
                free,
                self._worker,
                self._config.queues,
                [outcome.packed for outcome in outcomes],
            )
        )
        for outcome in outcomes:
            self._part.end(number(outcome.packed[EXECUTION]))
        self._part.outbox.sent(sum(outcome.kept for outcome in outcomes))
        # Only now are they done; and all in one write, for that is what it costs.
        emit(*(outcome.told for outcome in outcomes if outcome.told))
        # No number that was withdrawn already, which an interrupted turn leads to.
        self._next = max(self._next + len(claims), self._part.withdrawn + 1)
        if free:
            self._part.claimed = self._next - 1
            self._hear(enough=len(claims) >= free)
        if refused:
            refused = self._unheard_of(refused, outcomes)
        for job_id, why in refused:
            emit(events.OutcomeRefused(job_id, why))
        if self._webhooks.noted:
            ended = [outcome.packed[EXECUTION] for outcome in outcomes]
            self._webhooks.written(ended, dict(refused))
        self._put_back_forgotten(pool, first)
        if claims:
            self._start(pool, claims)

    def _put_back_forgotten(self, pool: Pool, below: int) -> None:
        if self._forgotten.due and self._forgotten.look(pool, self._outcomes, below):
            self._rung = True  # its queue has them again

    def _unheard_of(
        self, refused: list[tuple[str, str]], outcomes: list[Unsent]
    ) -> list[tuple[str, str]]:
        """Leave out what the supervisor has sent while a job kept the interpreter."""
        settled = self._part.settled.numbers()
        packed = [outcome.packed for outcome in outcomes]
        sent = {p[JOB] for p in packed if number(p[EXECUTION]) in settled}
        return [one for one in refused if one[0] not in sent]

    def _hear(self, *, enough: bool) -> None:
        """Answer the bell from now on if there was too little; claim once more first.

        What was pushed before the supervisor knew that we listen rang for nobody.
        """
        if enough or not self._part.listening:
            self._rung = True
        self._part.listening = not enough

    def _start(self, pool: Pool, claims: list[Claim]) -> None:
        self._left -= len(claims)
        surplus: list[Claim] = []
        found_async, is_last = 0, False
        for claim in claims:
            work = self._prepare(claim)
            if work is None:
                continue
            found_async += work.is_async
            behind = is_last and not work.is_async
            if self._rests or behind or not pool.take(work):
                surplus.append(claim)
            elif not work.is_async:
                is_last = pool.is_last(work)
        self._guess = min(
            self._config.concurrency,
            0 if found_async < len(claims) else 2 * max(found_async, self._guess),
        )
        if surplus:
            self._unclaim(surplus)
            # What goes back rings the bell: to answer it would claim the same again.
            self._rung = False
            if not self._board.quiet:  # which claims nothing, and must hear its end
                self._deaf_until = time.monotonic() + LOOK
        if self._left <= 0:
            self.wake()  # the thread must see the end of what there is

    def _prepare(self, claim: Claim) -> Work | None:
        # A job that kills its process while it is loaded must not do so for ever.
        self._part.load(number(claim.execution))
        try:
            config = self._config
            work = resolve(claim, strict=config.strict, on_crash=config.on_crash)
        except BaseException as error:  # noqa: BLE001 - it imports the app's modules
            outcome = executor.unresolved(claim, error, time.time())
            if outcome.ending is Ending.FAILED and callbacks.needs(claim):
                return broken(claim, error)  # its callback must not run here
            self._tell_unresolved(claim, outcome)
            self._keep(outcome)
            return None
        finally:
            self._part.load(0)
        return work

    def may_begin(self, work: Work) -> bool:
        """Note in Redis that a job begins which must not run twice.

        Returns:
            Whether it may begin: not when it was canceled or lost meanwhile.
        """
        with self._lock:
            return self._store.protect(work.claim)

    def stop_unbegun(self, work: Work) -> None:
        """Settle a job that was stopped before it began; its supervisor may have."""
        with self._lock:
            claim = work.claim
            verdict.stop_unbegun(self._store, claim, self._worker, time.time())

    def put_back(self, works: list[Work]) -> None:
        """Put back what was withdrawn; what the supervisor has put back stays there."""
        with self._lock:
            self._unclaim([work.claim for work in works])
            self._rung = True  # its queue may have it again

    def run_apart(self, work: Work) -> Outcome | None:
        """Run a job in a process of its own, in any thread.

        Returns:
            Its outcome; None when that process died, and the job was put back.
        """
        outcome = self._apart.run(work)
        if outcome is None:
            self._rung = True  # its queue has it again
        return outcome

    def _tell_unresolved(self, claim: Claim, outcome: Outcome) -> None:
        if outcome.ending is not Ending.POSTPONED:
            emit(events.JobFailed(claim.job_id, claim.job_id, outcome.error))
            return
        name = outcome.error.partition(":")[0]
        if name not in self._unknown:
            self._unknown.add(name)
            emit(events.TaskUnknown(name, outcome.error))

    def _wait(self, seconds: float) -> None:
        ready = [descriptor for descriptor, _ in self._poll.poll(seconds * 1000)]
        for descriptor in ready:
            if not os.read(descriptor, 4096):
                os._exit(1)  # the bell's other end is gone, so the supervisor is
        # Without a bell for a second it looks itself: a bell can be lost, never a job.
        # An outcome frees a slot, and the queue may have grown while there was none.
        bell = self._bell in ready and time.monotonic() >= self._deaf_until
        if bell or (not ready and seconds in (self._look, EVERY)):
            self._rung = True


def _polling(*descriptors: int) -> select.poll:
    # Not select.select, which knows descriptors below 1024 only.
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return poll


def _told(work: Work, outcome: Outcome) -> events.Event:
    job_id = work.claim.job_id
    if outcome.ending in (Ending.FINISHED, Ending.REPEATED):
        seconds = outcome.ended - outcome.started
        return events.JobFinished(job_id, work.name, seconds)
    if outcome.ending is Ending.RETRY:
        return events.JobRetried(job_id, work.name, outcome.error, outcome.delay)
    if outcome.ending in CUT_OFF:
        return CUT_OFF[outcome.ending](job_id, work.name)
    if outcome.ending in ASKED:
        return events.JobAskedAgain(job_id, work.name, outcome.error, outcome.delay)
    if outcome.ending is Ending.DISCARDED:
        return events.JobDiscarded(job_id, work.name, outcome.error)
    return events.JobFailed(job_id, work.name, outcome.error)
