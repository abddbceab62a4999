"""What RQ's own code does for us, outside the commit: the job that callbacks are given.

Imported when a job first needs it: workers whose jobs have no callbacks never load rq.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import redis
from rq.exceptions import AbandonedJobError
from rq.job import Job, JobStatus
from rq.serializers import resolve_serializer
from rq.timeouts import JobTimeoutException

from flow import codec, keys
from flow.errors import ConfigError, SoftTimeout
from flow.store.pools import pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flow.codec import Serializer
    from flow.store.address import Address
    from flow.store.client import Store

# RQ is typed in part, so that strict checkers refuse each use of it.
Handle = Any
ENDED = ("finished", "failed", "stopped")  # what ``show`` shows


class Told(Job):
    """RQ's ``Job`` as callbacks are given it.

    It shows how the job ended before that is written. To save it leaves the status in
    Redis alone: one that has ended already would have the outcome itself refused.
    """

    def to_dict(self, *words: Any, **named: Any) -> dict[str, Any]:  # noqa: ANN401 - RQ's
        """Return the fields to save, without the status that is only shown."""
        own: Handle = super()
        fields: dict[str, Any] = own.to_dict(*words, **named)
        if fields.get("status") in ENDED:
            del fields["status"]
        return fields


def read(store: Store, job_id: str) -> Handle | None:
    """Return RQ's ``Job`` as callbacks are given it; None when it was deleted."""
    raw = store.link.command("HGETALL", keys.job(job_id))
    if not raw:
        return None
    return _made(store, job_id, raw)


def recall(store: Store, job_id: str, data: bytes | None, webhooks: bytes) -> Handle:
    """Return RQ's ``Job`` of a job that is gone, as far as its claim told."""
    return _made(store, job_id, {b"data": data or b"", b"webhooks": webhooks})


def serializer(name: str) -> Serializer:
    """Return RQ's serializer of that name: ``json``, ``pickle``, or an import path.

    Raises:
        ConfigError: there is none.
    """
    try:
        found: Serializer = resolve_serializer(name)
    except Exception as error:
        raise ConfigError(
            f"there is no serializer {name!r} (json, pickle, or the import path of one "
            f"with dumps and loads): {error}"
        ) from error
    return found


def _made(store: Store, job_id: str, raw: Mapping[bytes, bytes]) -> Handle:
    connection = _connection(store.link.address)
    job: Handle = Told(job_id, connection=connection, serializer=codec.used())
    job.restore(raw)
    return job


def show(job: Handle, status: str, ended: float, result: object = None) -> None:
    """Have the job show how it ended, as RQ's worker does before it is written."""
    job._status = JobStatus(status)  # noqa: SLF001 - RQ's worker sets both so
    job._result = result  # noqa: SLF001 - likewise
    job.ended_at = datetime.fromtimestamp(ended, UTC)


def as_told(error: BaseException) -> BaseException:
    """Return the error as RQ's callbacks know it: a timeout has RQ's own class."""
    if isinstance(error, SoftTimeout):
        return JobTimeoutException(str(error)).with_traceback(error.__traceback__)
    return error


def abandoned(text: str, how: str) -> BaseException:
    """Return the error that RQ has for a job that ended with its process."""
    return JobTimeoutException(text) if how == "timeout" else AbandonedJobError(text)


@functools.cache
def _connection(address: Address) -> Handle:
    # Not the link's: callbacks may do with it what they like, and know redis-py's ways.
    return redis.Redis.from_pool(pool(address))
