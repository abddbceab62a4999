"""A worker's process as the store sees it: turns, and what came of its jobs."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from flow import codec
from flow.outcome import Ending, Outcome
from flow.queue import new_id
from flow.record import Claim, Invocation, JobRecord
from flow.store.client import Exchange
from flow.workers.process import new_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.store.client import Store

ADD = "tests.support.shop.plain.add"


def record(queue: str = "default", path: str = ADD, *args: object) -> JobRecord:
    """Return a job that was not enqueued yet."""
    return JobRecord(new_id(), Invocation(path, args or (1,)), queue)


class Turns:
    """One process of a worker, without the process.

    Args:
        store: where its jobs are.
        queues: what it serves, the first first.

    """

    def __init__(self, store: Store, *queues: str) -> None:
        self.name = new_name()
        self.refused: list[tuple[str, str]] = []  # of the last turn
        self._store = store
        self._queues = queues or ("default",)
        self._turns = itertools.count(1)
        self._next = 1

    def take(
        self, free: int = 1, *outcomes: Outcome, again: bool = False
    ) -> list[Claim]:
        """Settle and claim in one turn; ``again`` asks twice, as after a lost reply."""
        ask = self.ask(free, outcomes)
        self.refused, claims = self._store.exchange(ask)
        if again:
            assert self._store.exchange(ask) == (self.refused, claims)
        self._next += len(claims)
        return claims

    def one(self) -> Claim:
        """Claim one job that is there."""
        (claim,) = self.take(1)
        return claim

    def settle(self, *outcomes: Outcome) -> list[tuple[str, str]]:
        """Settle, claim nothing; return what was refused."""
        self.take(0, *outcomes)
        return self.refused

    def ask(self, free: int = 1, outcomes: Sequence[Outcome] = ()) -> Exchange:
        """Return the next turn, without taking it."""
        packed = [codec.pack_outcome(outcome) for outcome in outcomes]
        return Exchange(
            self.name, next(self._turns), self._next, free, "w", self._queues, packed
        )


def finished(claim: Claim, value: object = None, ttl: int | None = None) -> Outcome:
    """Return the outcome of a job that returned ``value``."""
    ttl = claim.result_ttl if ttl is None else ttl
    return _outcome(claim, Ending.FINISHED, value=codec.pack_result(value), ttl=ttl)


def failed(claim: Claim, told: str = "ValueError: no", ttl: int = 60) -> Outcome:
    """Return the outcome of a job that raised."""
    return _outcome(claim, Ending.FAILED, value=codec.pack_failure(told), ttl=ttl)


def retried(claim: Claim, delay: float = 0.0) -> Outcome:
    """Return the outcome of a job that raised and runs again."""
    return _outcome(claim, Ending.RETRY, delay=delay)


def discarded(claim: Claim, why: str = "no order", ttl: int = 60) -> Outcome:
    """Return the outcome of a job that gave itself up."""
    return replace(_outcome(claim, Ending.DISCARDED, ttl=ttl), error=why)


def postponed(claim: Claim, delay: float = 5.0) -> Outcome:
    """Return the outcome of a job whose task is not known."""
    return _outcome(claim, Ending.POSTPONED, delay=delay)


def stopped(claim: Claim, told: str = "stopped on request") -> Outcome:
    """Return the outcome of a job that somebody stopped."""
    return _outcome(claim, Ending.STOPPED, value=codec.pack_failure(told), ttl=60)


def interrupted(claim: Claim) -> Outcome:
    """Return the outcome of a job that the worker's stop cut off."""
    return _outcome(claim, Ending.INTERRUPTED)


def _outcome(
    claim: Claim,
    ending: Ending,
    *,
    value: bytes = b"",
    ttl: int = 0,
    delay: float = 0.0,
) -> Outcome:
    now = time.time()
    return Outcome(claim, ending, now - 1, now, value, ttl, delay, "an error")


def begun(store: Store, job_id: str) -> bool:
    """Have a claimed job that must not run twice begin; return whether it may."""
    (one,) = [one for one in store.held(store.queues()) if one.job_id == job_id]
    return store.protect(Claim(one.queue, one.job_id, one.execution, None))


# What may come of any job, each as a test makes it of a claim.
OUTCOMES = [finished, failed, retried, postponed, interrupted, stopped]
