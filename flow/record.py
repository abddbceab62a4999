"""The data of one job: what is to be called, how, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT = 180  # seconds; RQ's default
RESULT_TTL = 500  # seconds; RQ's default
FAILURE_TTL = 31_536_000  # seconds, a year; RQ's default


class Status(StrEnum):
    """RQ's words for where a job is.

    flow writes the nine that an RQ 2.12 client knows too, and reads RQ 3's as well.
    """

    CREATED = "created"
    QUEUED = "queued"
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    SCHEDULED = "scheduled"
    DEFERRED = "deferred"
    CANCELED = "canceled"
    RATE_LIMITED = "rate_limited"
    READY_TO_ENQUEUE = "ready_to_enqueue"


@dataclass(slots=True)  # not frozen: each job has one, and that costs
class Invocation:
    """What a job calls: RQ's four parts of ``data``.

    Args:
        path: the import path, such as ``shop.tasks.resize``.
        args: positional arguments.
        kwargs: named arguments.
        instance: the object, where RQ was given a bound method.
    """

    path: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    instance: Any = None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job that is to be enqueued.

    Args:
        id: letters, digits, ``_`` and ``-``.
        invocation: what to call.
        queue: the queue's name.
        chosen: whether the caller chose the id, so that another job may have it.
        at_front: run before what waits already.
        due: unix seconds before which it must not run; None for at once.
        delay: seconds, by the server's clock, before which it must not run.
        timeout: seconds it may run; -1 for no limit.
        retries: how often it runs again after an error.
        intervals: seconds before each retry, as RQ has them; None: flow's back-off.
        result_ttl: seconds the result is kept; -1 for ever, 0 not at all.
        failure_ttl: seconds a failure is kept.
        ttl: seconds after which it is not worth starting.
        depends_on: ids of the jobs that must finish first.
        description: for people; the call itself by default.
        meta: whatever the caller wants to keep beside it.
        on_crash: ``fail`` for work that must never run twice.
    """

    id: str
    invocation: Invocation
    queue: str
    chosen: bool = False
    at_front: bool = False
    due: float | None = None
    delay: float | None = None
    timeout: float | None = None
    retries: int | None = None
    intervals: tuple[float, ...] | None = None
    result_ttl: int | None = None
    failure_ttl: int | None = None
    ttl: int | None = None
    depends_on: tuple[str, ...] = ()
    description: str | None = None
    meta: Mapping[str, Any] | None = None
    on_crash: str = "retry"


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that are enqueued alike.

    Args:
        like: one of them; the others differ in their ids and invocations only.
        calls: the id and the invocation of each, in their order.
    """

    like: JobRecord
    calls: Sequence[tuple[str, Invocation]]

    @classmethod
    def of(cls, job: JobRecord) -> Batch:
        """Return the batch of one job."""
        return cls(job, [(job.id, job.invocation)])


@dataclass(frozen=True, slots=True)
class Extras:
    """What few jobs carry: whether there is any of it, in RQ's fields.

    Args:
        on_success: a callback to run when it returned.
        on_failure: a callback to run when it raised.
        webhooks: RQ's list of addresses to tell how it ended, as JSON; empty for none.
        repeats: it runs again after it has finished.
    """

    on_success: bool = False
    on_failure: bool = False
    webhooks: bytes = b""
    repeats: bool = False


@dataclass(slots=True)  # not frozen: each job has one, and that costs
class Claim:
    """A job that this process holds under an execution id.

    Args:
        queue: where it came from, and goes back to.
        job_id: which job.
        execution: the id that is valid for this claim alone.
        data: RQ's packed invocation, or None when the hash has none.
        timeout: seconds it may run; -1 for no limit.
        result_ttl: seconds the result is kept.
        failure_ttl: seconds a failure is kept.
        retries_left: how often it may still run again after an error.
        intervals: RQ's seconds between retries, None for the task's own backoff.
        attempts: how often it has failed before.
        on_crash: what the hash says, if it does.
        unknown_since: unix seconds since when no worker knows its task, or None.
        extras: what few jobs carry; None for all others.
    """

    queue: str
    job_id: str
    execution: str
    data: bytes | None
    timeout: float = TIMEOUT
    result_ttl: int = RESULT_TTL
    failure_ttl: int = FAILURE_TTL
    retries_left: int = 0
    intervals: tuple[float, ...] | None = None
    attempts: int = 0
    on_crash: str | None = None
    unknown_since: float | None = None
    extras: Extras | None = None
