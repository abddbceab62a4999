"""The job that runs here, as it may see itself: ``flow.current_job``."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.record import Claim


class Runs(Protocol):
    """What runs: the worker's own note of a job."""

    @property
    def claim(self) -> Claim:
        """The execution."""
        ...

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """What jobs may know of the worker around them.

    Args:
        stopping: whether it was told to stop.
        ends: when it kills what still runs, unix seconds; None while it goes on.
    """

    stopping: Callable[[], bool] = lambda: False
    ends: Callable[[], float | None] = lambda: None


# What runs and since when, in a list that is emptied when the job ends: a thread that
# was given the context and outlives the job is in no job. This is all that a job pays
# for; the rest is made when somebody asks.
Running = list[tuple[Runs, float]]
RUNNING: ContextVar[Running | None] = ContextVar("flow_running", default=None)
_host = [Host()]


def hosted_by(host: Host) -> None:
    """Say what runs the jobs of this process from now on."""
    _host[:] = [host]


@dataclass(frozen=True, slots=True)
class CurrentJob:
    """The job that runs here.

    Args:
        id: the job's id; ``flow.Job(id)`` is the handle on it.
        task: the name of its task, or the path of the function.
        queue: where it came from.
        attempt: 1 the first time, one more after each error and each ``Retry``.
        retries_left: how often it may still run again after an error.
    """

    id: str
    task: str
    queue: str
    attempt: int
    retries_left: int
    _limit: float | None = field(repr=False)

    @property
    def stopping(self) -> bool:
        """Whether the worker was told to stop; asked anew each time."""
        return _host[0].stopping()

    @property
    def deadline(self) -> datetime | None:
        """When it is cut off, in UTC; None for never.

        That is the end of its timeout, or of the worker's grace if the worker stops and
        that is earlier; asked anew each time.
        """
        ends = [end for end in (self._limit, _host[0].ends()) if end is not None]
        return _instant(min(ends)) if ends else None


def current_job() -> CurrentJob | None:
    """Return the job that runs here, or None outside of a job.

    Its threads of ``asyncio.to_thread`` and its asyncio tasks are inside; a thread that
    it starts itself is not, unless it is given the context (``contextvars``).
    """
    running = RUNNING.get()
    try:
        runs, started = (running or [])[0]
    except IndexError:
        return None
    claim = runs.claim
    return CurrentJob(
        id=claim.job_id,
        task=runs.name,
        queue=claim.queue,
        attempt=claim.attempts + 1,
        retries_left=max(0, claim.retries_left),
        _limit=started + claim.timeout if claim.timeout >= 0 else None,
    )


def execution() -> tuple[str, str] | None:
    """Return the ids of the job and of the execution that run here, if any do."""
    try:
        claim = (RUNNING.get() or [])[0][0].claim
    except IndexError:
        return None
    return claim.job_id, claim.execution


def _instant(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None  # beyond the year 9999
