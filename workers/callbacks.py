"""Callbacks that RQ's client gave a job: they run before its outcome is written.

With RQ's meaning: ``on_success(job, connection, result)`` may still fail the job,
``on_failure(job, connection, type, value, traceback)`` runs at each try that failed,
and what a callback raises counts as the job's own error.
"""

from __future__ import annotations

import functools
import inspect
import time
import traceback
from typing import TYPE_CHECKING, Any

from flow import events, keys
from flow.errors import UnknownTask
from flow.log import emit
from flow.registry import TASKS
from flow.store import current, running
from flow.store.client import Store
from flow.store.persistence import Persistence
from flow.workers import timeout
from flow.workers.board import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.outcome import Outcome
    from flow.record import Claim
    from flow.store.address import Address

_handlers: list[Callable[..., object]] = []
_limits: list[Callable[[int, float], None]] = []
_strict = False


def set_up(*, strict: bool) -> None:
    """Say whether callbacks must be declared tasks: ``[tool.flow] strict``."""
    global _strict  # noqa: PLW0603 - one setting a process, told at its start
    _strict = strict


def use_handlers(handlers: list[Callable[..., object]]) -> None:
    """Have each failure told to RQ's exception handlers, the first first."""
    _handlers[:] = handlers


def handlers() -> list[Callable[..., object]]:
    """Return RQ's exception handlers that ``use_handlers`` was given."""
    return list(_handlers)


def use_limits(allow: Callable[[int, float], None]) -> None:
    """Have callbacks end with their own timeouts, and not with the job's process.

    Args:
        allow: tells the supervisor how many seconds an execution may take.
    """
    _limits[:] = [allow]


def _lift_limit(claim: Claim) -> None:
    for allow in _limits:
        allow(number(claim.execution), -1.0)


def succeeded(claim: Claim, value: object) -> None:
    """Run the job's success callback, if it has one.

    Raises:
        BaseException: whatever the callback raises; the job then fails with it.
    """
    if claim.extras is None or not claim.extras.on_success:
        return
    _lift_limit(claim)
    job = _read(claim.job_id, "finished", value)
    if job is not None:
        _run("success", job, value)


def failed(claim: Claim, error: BaseException) -> BaseException:
    """Run the job's failure callback and RQ's exception handlers, if there are any.

    Returns:
        The error that counts: the callback's own, if it raised.
    """
    has_callback = claim.extras is not None and claim.extras.on_failure
    if not has_callback and not _handlers:
        return error
    _lift_limit(claim)
    return _tell(claim.job_id, error)


def _tell(job_id: str, error: BaseException) -> BaseException:
    try:
        job = _read(job_id, "failed")
    except Exception as broken:  # noqa: BLE001 - RQ's code refuses what it cannot read
        return broken
    if job is None:
        return error
    try:
        _run("failure", job, *_exc_info(error))
    except BaseException as own:  # noqa: BLE001 - user code may raise anything
        error = own
    _handle(job, error)
    return error


def asked_before(claim: Claim) -> int:
    """Return how often a job has returned RQ's ``Retry`` before."""
    _lift_limit(claim)  # the job itself has ended, and Redis may be away
    own = _store(current.store().link.address)
    key = keys.job(claim.job_id)
    return int(own.link.command("HGET", key, "number_of_retries") or 0)


def stopped(claim: Claim) -> None:
    """Run the callback of a job that was stopped; what it raises is only logged.

    One that was canceled, or lost to another, is ended alike, but was not stopped.
    """
    store = _store(current.store().link.address)
    if running.holds(store, claim):
        _tell_stopped(claim.job_id)


def was_stopped(job_id: str) -> None:
    """Run the callback of a job that was stopped with its process."""
    if _store(current.store().link.address).status(job_id) == "stopped":
        _tell_stopped(job_id)


def _tell_stopped(job_id: str) -> None:
    try:
        job = _read(job_id, "stopped")
        if job is not None:
            _run("stopped", job)
    except BaseException as error:  # noqa: BLE001 - user code may raise anything
        emit(events.CallbackFailed(job_id, "stopped callback", _text(error)))


def for_webhooks(outcome: Outcome, status: str) -> Any:  # noqa: ANN401 - RQ's job
    """Return RQ's handle on a job that has ended, also when it is gone already."""
    from flow.store import rq  # noqa: PLC0415 - as below

    claim, extras = outcome.claim, outcome.claim.extras
    store = _store(current.store().link.address)
    webhooks = extras.webhooks if extras else b""
    job = rq.read(store, claim.job_id)
    job = job or rq.recall(store, claim.job_id, claim.data, webhooks)
    rq.show(job, status, outcome.ended)
    return job


def lost(job_id: str, text: str, how: str) -> None:
    """Tell a job's failure callback and webhooks that it ended with its process."""
    from flow.store import rq  # noqa: PLC0415 - as below

    error = rq.abandoned(text, how)
    counts = _tell(job_id, error)
    if counts is not error:
        emit(events.CallbackFailed(job_id, "failure callback", _text(counts)))
    job = _read(job_id, "failed")
    status = _store(current.store().link.address).status(job_id)
    if job is not None and status == "failed":
        job.send_webhooks("failed", exc_string=text)


def needs(claim: Claim) -> bool:
    """Whether somebody is to be told when this job fails."""
    return claim.extras is not None or bool(_handlers)


def _handle(job: Any, error: BaseException) -> None:  # noqa: ANN401 - RQ's job
    for handler in _handlers:
        try:
            goes_on = handler(job, *_exc_info(error))
        except BaseException as own:  # noqa: BLE001 - user code may raise anything
            emit(events.CallbackFailed(job.id, "exception handler", _text(own)))
            return
        if goes_on is not None and not goes_on:
            return


def _read(job_id: str, status: str, result: object = None) -> Any:  # noqa: ANN401 - RQ's job
    from flow.store import rq  # noqa: PLC0415 - most workers never need RQ's code

    job = rq.read(_store(current.store().link.address), job_id)
    if job is not None:
        rq.show(job, status, time.time(), result)
    return job


def _run(kind: str, job: Any, *what: object) -> None:  # noqa: ANN401 - RQ's job
    name = getattr(job, f"_{kind}_callback_name")
    if name and _strict and TASKS.find(name) is None:
        # Before anything is imported: to import a module is to run it.
        raise UnknownTask(
            f"{name}, a {kind} callback: it is no declared task, and [tool.flow] "
            "strict allows no other"
        )
    callback = getattr(job, f"{kind}_callback")
    if callback is None:
        return
    if inspect.iscoroutinefunction(callback):
        raise TypeError(f"Coroutine {kind} callbacks are not supported")  # RQ's words
    seconds = getattr(job, f"{kind}_callback_timeout")
    timeout.call(seconds, callback, (job, job.connection, *what), {})


def _exc_info(error: BaseException) -> tuple[object, object, object]:
    from flow.store import rq  # noqa: PLC0415 - as above

    told = rq.as_told(error)
    return type(told), told, told.__traceback__


def _text(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


@functools.cache
def _store(address: Address) -> Store:
    # Not the one for what jobs enqueue: an outage must not fail a job that ended well.
    return Store(address, patience=Persistence(address))
