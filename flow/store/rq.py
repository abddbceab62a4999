"""What RQ's own code does for us, outside the commit: the job that callbacks are given.

Imported when a job first needs it: workers whose jobs have no callbacks never load rq.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import redis
from rq.job import Job, JobStatus
from rq.timeouts import JobTimeoutException

from flow import keys
from flow.errors import SoftTimeout

if TYPE_CHECKING:
    from flow.store.client import Store

# RQ is typed in part, so that strict checkers refuse each use of it.
Handle = Any


def read(store: Store, job_id: str) -> Handle | None:
    """Return RQ's ``Job`` as callbacks are given it; None when it was deleted."""
    raw = store.link.command("HGETALL", keys.job(job_id))
    if not raw:
        return None
    job: Handle = Job(job_id, connection=_connection(store.link.address.url))
    job.restore(raw)
    return job


def show(job: Handle, status: str, ended: float, result: object = None) -> None:
    """Have the job show how it ended, as RQ's worker does before it is written."""
    job._status = JobStatus(status)  # noqa: SLF001 - RQ's worker sets both so
    job._result = result  # noqa: SLF001
    job.ended_at = datetime.fromtimestamp(ended, UTC)


def as_told(error: BaseException) -> BaseException:
    """Return the error as RQ's callbacks know it: a timeout has RQ's own class."""
    if isinstance(error, SoftTimeout):
        return JobTimeoutException(str(error)).with_traceback(error.__traceback__)
    return error


@functools.cache
def _connection(url: str) -> Handle:
    # Not the link's: callbacks may do with it what they like, and know redis-py's ways.
    return redis.Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]
