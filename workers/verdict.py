"""Verdicts: what becomes of a job whose process had to be killed to end it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

from flow import codec, events
from flow.errors import JobStopped, SoftTimeout
from flow.log import emit
from flow.outcome import Ending
from flow.registry import TASKS
from flow.store import running
from flow.workers import executor, timeout
from flow.workers.resolve import Work

if TYPE_CHECKING:
    from flow.outcome import Outcome
    from flow.record import Claim
    from flow.store.client import Store

SOON = 1.0  # seconds that a task's own backoff may take to say its number


class Reason(StrEnum):
    """Why an execution had to end."""

    STOPPED = "stopped"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an execution was ended with its process.

    Args:
        reason: what it was asked to end for.
        began: unix seconds, about.
    """

    reason: Reason
    began: float

    def outcome(self, claim: Claim, now: float) -> Outcome:
        """Return what its process would have said, had it been able to."""
        span = (self.began, now)
        if self.reason is Reason.STOPPED:
            told = executor.text(JobStopped(timeout.STOPPED))
            return executor.stopped(claim, span, told)
        work, error = _work(claim), SoftTimeout(timeout.text(claim.timeout))
        # Nothing of the app's may hang here: this is the supervisor.
        outcome: Outcome = timeout.call(
            SOON,
            lambda: executor.timed_out(work, error, span),
            (),
            {},
        )
        return outcome


def stop_unbegun(store: Store, claim: Claim, worker: str, now: float) -> bool:
    """Settle a job that was stopped before it began, and have its callback run.

    Its process does that and its supervisor, for neither knows of the other.

    Returns:
        Whether this was the first.
    """
    outcome = Verdict(Reason.STOPPED, now).outcome(claim, now)
    words = {"worker": worker, "text": timeout.STOPPED, "how": Reason.STOPPED.value}
    return running.judge(store, outcome, **words) is None


def tell(claim: Claim, outcome: Outcome) -> None:
    """Say what became of a job that ended with its process."""
    name = _work(claim).name
    if outcome.ending is Ending.RETRY:
        emit(events.JobRetried(claim.job_id, name, outcome.error, outcome.delay))
    else:
        emit(events.JobFailed(claim.job_id, name, outcome.error))


def _work(claim: Claim) -> Work:
    path = codec.path_of(claim.data)
    task = TASKS.find(path)
    name = task.name if task else path or claim.job_id
    return Work(claim, name, _never, (), {}, task)


def _never() -> NoReturn:
    raise NotImplementedError("a verdict runs nothing")
