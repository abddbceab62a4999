"""Executor: runs one job and says what came of it; it writes nothing."""

from __future__ import annotations

import asyncio
import inspect
import math
import traceback
from typing import TYPE_CHECKING

from flow import codec, retry
from flow.errors import (
    Discard,
    InvalidCall,
    JobStopped,
    Retry,
    SoftTimeout,
    UnknownTask,
    last_line,
)
from flow.outcome import Ending, Outcome
from flow.running import RUNNING, Running
from flow.workers import callbacks, groups, returned, timeout

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from flow.record import Claim
    from flow.registry import Declaration
    from flow.workers.resolve import Work

OWN = tuple(f"flow.workers.{n}" for n in ("executor", "timeout", "loop", "callbacks"))
PATIENCE = 900.0  # seconds that a job of an unknown task is put off in all
INTERRUPTED = (
    "flow.errors.Interrupted: the worker stopped while the job ran, "
    'and on_crash="fail" forbids to run it again'
)
ASKS = 10  # times that a job without retries may ask to run again


def execute(
    work: Work, now: Callable[[], float], stopping: Callable[[], bool]
) -> Outcome:
    """Run a plain job in this thread.

    Args:
        work: what to call.
        now: the wall clock, unix seconds.
        stopping: whether the worker was told to stop.
    """
    started = now()
    running: Running = [(work, started)]
    RUNNING.set(running)
    try:
        value = timeout.call(work.claim.timeout, _call, (work,), {})
        if returned.asks(value):
            return returned.outcome(work.claim, value, (started, now()))
        if work.claim.extras is not None:
            callbacks.succeeded(work.claim, value)
    except BaseException as error:  # noqa: BLE001 - user code may raise anything
        return failure(work, error, (started, now()), stopping=stopping())
    finally:
        running.clear()
    return success(work.claim, value, (started, now()))


def _call(work: Work) -> object:
    value = work.function(*work.args, **work.kwargs)
    # A plain function may wrap a coroutine function; RQ runs what it returns, too.
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def success(claim: Claim, value: object, span: tuple[float, float]) -> Outcome:
    """Return the outcome of a job that returned ``value``.

    Args:
        claim: the execution.
        value: what it returned.
        span: when it started and ended, unix seconds.
    """
    try:
        packed = codec.pack_result(value)
    except InvalidCall as error:
        # The work is done: running it again would only do it twice.
        counts = callbacks.failed(claim, error)
        told = f"flow.errors.InvalidCall: {error}" if counts is error else text(counts)
        return _failed(claim, span, told)
    repeats = claim.extras is not None and claim.extras.repeats
    ending = Ending.REPEATED if repeats else Ending.FINISHED
    return Outcome(claim, ending, *span, packed, claim.result_ttl)


def failure(
    work: Work, error: BaseException, span: tuple[float, float], *, stopping: bool
) -> Outcome:
    """Return the outcome of a job that raised.

    Args:
        work: what was called.
        error: what it raised.
        span: when it started and ended, unix seconds.
        stopping: whether the worker was told to stop; the error may come of that.
    """
    claim, error = work.claim, groups.meant(error)
    if isinstance(error, JobStopped | Discard):
        # What a job says itself stands, also while its worker stops.
        return _given_up(claim, error, span)
    asked = isinstance(error, Retry)
    if stopping and not asked and not isinstance(error, SoftTimeout):
        return interrupted(claim, span, once=work.once)
    # To ask is not to fail, unless nothing is left to ask for.
    counts = error if asked else callbacks.failed(claim, error)
    try:
        delay = _delay(work, error)
    except Exception as broken:  # noqa: BLE001 - the app's own function may raise
        return _failed(claim, span, text(broken))
    if delay is not None:
        ending = Ending.ASKED if asked else Ending.RETRY
        why = _one_line(str(error)) if asked else _last_line(text(counts))
        return Outcome(claim, ending, *span, delay=delay, error=why)
    if asked:
        counts = callbacks.failed(claim, error)
        return _failed(claim, span, text(counts) + "No retries are left.\n")
    return _failed(claim, span, text(counts))


def _given_up(
    claim: Claim, error: JobStopped | Discard, span: tuple[float, float]
) -> Outcome:
    if isinstance(error, JobStopped):
        callbacks.stopped(claim)
        return stopped(claim, span, text(error))
    kept, why = claim.failure_ttl, _one_line(str(error))
    return Outcome(claim, Ending.DISCARDED, *span, ttl=kept, error=why)


def timed_out(work: Work, error: SoftTimeout, span: tuple[float, float]) -> Outcome:
    """Return the outcome of a job that was killed after its timeout.

    Nothing of the app's runs for it but its backoff: this is the supervisor.

    Args:
        work: what was called.
        error: what was raised inside it in vain.
        span: when it started and ended, unix seconds.
    """
    try:
        delay = _delay(work, error)
    except Exception as broken:  # noqa: BLE001 - the app's own function may raise
        return _failed(work.claim, span, text(broken))
    told = text(error)
    if delay is None:
        return _failed(work.claim, span, told)
    last = _last_line(told)
    return Outcome(work.claim, Ending.RETRY, *span, delay=delay, error=last)


def _delay(work: Work, error: BaseException) -> float | None:
    """Return the seconds until a job runs again that raised; None: it does not."""
    claim, task = work.claim, work.task
    if isinstance(error, Retry):
        # Where there were retries both sum up to them: then these are the limit.
        never_had = claim.retries_left + claim.attempts <= 0
        if claim.retries_left <= 0 and not (never_had and claim.attempts < ASKS):
            return None
        return backoff(claim, task) if error.after is None else error.after
    if claim.retries_left <= 0 or (task is not None and not task.retries_after(error)):
        return None
    return backoff(claim, task)


def stopped(claim: Claim, span: tuple[float, float], told: str) -> Outcome:
    """Return the outcome of a job that somebody stopped; it never runs again.

    Args:
        claim: the execution.
        span: when it started and ended, unix seconds.
        told: the failure's text.
    """
    packed, last = codec.pack_failure(told), _last_line(told)
    return Outcome(claim, Ending.STOPPED, *span, packed, claim.failure_ttl, 0.0, last)


def interrupted(claim: Claim, span: tuple[float, float], *, once: bool) -> Outcome:
    """Return the outcome of a job that the worker's stop cut off.

    Args:
        claim: the execution.
        span: when it started and ended, unix seconds.
        once: whether it must never run twice.
    """
    if once:
        return _failed(
            claim,
            span,
            INTERRUPTED,
        )
    return Outcome(claim, Ending.INTERRUPTED, *span)


def unresolved(claim: Claim, error: BaseException, now: float) -> Outcome:
    """Return the outcome of a claim whose function was not found or not importable.

    An unknown task goes back with a delay, because a deployment may be under way:
    5 s doubling to 60 s, for 15 minutes in all.
    """
    span = (now, now)
    waited = 0.0 if claim.unknown_since is None else now - claim.unknown_since
    if isinstance(error, UnknownTask) and waited < PATIENCE:
        delay = min(60.0, max(5.0, waited))
        why = _last_line(str(error))
        return Outcome(claim, Ending.POSTPONED, *span, delay=delay, error=why)
    return _failed(claim, span, text(error))


def backoff(claim: Claim, task: Declaration | None) -> float:
    """Return the seconds before a failed job runs again.

    RQ's intervals in the job's hash win; then the task's own backoff; then flow's.

    Raises:
        ValueError: it is no number of seconds.
        Exception: whatever the task's own backoff raises.

    """
    seconds = _backoff(claim, task)
    if not math.isfinite(seconds):
        raise ValueError(f"the backoff returned {seconds}, which is no delay")
    return max(0.0, seconds)


def _backoff(claim: Claim, task: Declaration | None) -> float:
    if claim.intervals is not None:
        return retry.from_intervals(claim.intervals, claim.retries_left)
    if task is None:
        return 0.0  # RQ's Retry(max=3) runs again at once
    if task.backoff is None:
        return retry.exponential(claim.attempts + 1)
    if callable(task.backoff):
        return float(task.backoff(claim.attempts + 1))
    listed = task.backoff
    return float(listed[min(claim.attempts, len(listed) - 1)]) if listed else 0.0


def text(error: BaseException) -> str:
    """Return an error's traceback, from the job's own frames on."""
    if isinstance(error, SoftTimeout):
        told = traceback.format_exception(type(error), error, _own_frames(error))
        # RQ's name for it, which its readers and people know.
        return "".join(told[:-1]) + f"rq.timeouts.JobTimeoutException: {error}\n"
    return "".join(traceback.format_exception(type(error), error, _own_frames(error)))


def _own_frames(error: BaseException) -> TracebackType | None:
    """Return the frames below flow's own, if there are any."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__name__") in OWN:
        frames = frames.tb_next
    return frames or error.__traceback__


def _failed(claim: Claim, span: tuple[float, float], told: str) -> Outcome:
    packed, last = codec.pack_failure(told), _last_line(told)
    return Outcome(claim, Ending.FAILED, *span, packed, claim.failure_ttl, 0.0, last)


def _last_line(told: str) -> str:
    return _storable(last_line(told))


def _one_line(told: str) -> str:
    return _storable(" ".join(told.split()))


def _storable(line: str) -> str:
    # Half of a surrogate pair, as a file's name may hold, is no text that Redis takes.
    return line.encode("utf-8", "replace").decode()
