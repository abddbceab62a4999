"""Job: the handle on one call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from flow import codec
from flow.errors import JobCancelled, JobFailed, NoSuchJob, last_line
from flow.record import Status
from flow.store import current, running, waiting

if TYPE_CHECKING:
    from flow.store.client import Store
    from flow.store.waiting import End

V = TypeVar("V")


class Job(Generic[V]):
    """One call of a task: where it is, and what came of it.

    Args:
        job_id: RQ's job id.
        store: where it is kept; by default the store of this process.
    """

    def __init__(self, job_id: str, store: Store | None = None) -> None:
        """Make a handle; nothing is asked of the server yet."""
        self._id = job_id
        self._store = store

    @classmethod
    def fetch(cls, job_id: str) -> Job[Any]:
        """Return the handle on a job that exists.

        Raises:
            NoSuchJob: it never did, or it has expired.
        """
        job = Job[Any](job_id)
        _ = job.status
        return job

    @property
    def id(self) -> str:
        """The job's id: letters, digits, ``_`` and ``-``."""
        return self._id

    @property
    def status(self) -> Status:
        """Where the job is now, in RQ's words; asked of the server each time.

        Raises:
            NoSuchJob: there is no such job, or no more.
        """
        status = self._where.status(self._id)
        if status is None:
            raise _unknown(self._id)
        return status

    def result(self, timeout: float | None = None) -> V:
        """Wait for the job to end and return what it returned.

        While the server is away (a restart, a fail-over) it goes on trying, with pauses
        that grow to 5 s, as long as it may wait at all.

        Args:
            timeout: seconds to wait at most; None waits for ever, 0 only looks.

        Raises:
            JobFailed: it ended with an error; ``traceback`` holds the whole text.
            JobCancelled: it was cancelled, or discarded itself.
            TimeoutError: it has not ended yet.
            ServerUnreachable: the server was away when the timeout had passed, or it
                refuses the login.
            NoSuchJob: there is no such job, or its result has expired.
            UnreadableJob: a class in its result is missing here.
        """
        return self._value(waiting.wait(self._where, self._id, timeout), timeout)

    async def aresult(self, timeout: float | None = None) -> V:  # noqa: ASYNC109 - as result() has it
        """As ``result``, from a coroutine."""
        end = await waiting.await_end(self._where, self._id, timeout)
        return self._value(end, timeout)

    def cancel(self) -> bool:
        """Keep the job from starting.

        Returns:
            True when it was cancelled, False when it runs already or has ended.

        Raises:
            NoSuchJob: there is no such job, or no more.
        """
        canceled = self._where.cancel(self._id)
        if canceled is None:
            raise _unknown(self._id)
        return canceled

    async def acancel(self) -> bool:
        """As ``cancel``, from a coroutine."""
        return await asyncio.to_thread(self.cancel)

    def stop(self) -> bool:
        """Have the job end if it runs: ``JobStopped`` is raised inside it.

        It is a dead letter then, with the status ``stopped``, and is not retried. One
        that goes on for ``--kill-after`` seconds is ended with its process; one that is
        put back at this moment is cancelled.

        Returns:
            Whether a worker was told; False when the job does not run.

        Raises:
            NoSuchJob: there is no such job, or no more.
        """
        told = running.stop(self._where, self._id)
        if told is None:
            raise _unknown(self._id)
        return told

    async def astop(self) -> bool:
        """As ``stop``, from a coroutine."""
        return await asyncio.to_thread(self.stop)

    @property
    def _where(self) -> Store:
        return self._store or current.store()

    def _value(self, end: End | None, timeout: float | None) -> V:
        if end is None:
            raise TimeoutError(f"job {self._id} has not ended within {timeout:g} s")
        if end.status is None:
            raise _unknown(self._id)
        if end.status is Status.CANCELED:
            raise _cancelled(self._id, end.reason)
        if end.status is not Status.FINISHED:
            text = codec.unpack_failure(end.failure) if end.failure else end.status
            raise JobFailed(last_line(text), text)
        return cast("V", codec.unpack_result(end.value))

    def __repr__(self) -> str:
        """Return the class and the id."""
        return f"Job({self._id!r})"

    def __eq__(self, other: object) -> bool:
        """Compare by id."""
        return isinstance(other, Job) and other.id == self._id

    def __hash__(self) -> int:
        """Hash the id."""
        return hash(self._id)


def _cancelled(job_id: str, reason: str | None) -> JobCancelled:
    if reason is None:
        return JobCancelled(f"job {job_id} was cancelled")
    why = f": {reason}" if reason else ""
    return JobCancelled(f"job {job_id} discarded itself{why}", reason)


def _unknown(job_id: str) -> NoSuchJob:
    return NoSuchJob(
        f"there is no job {job_id!r}: it never was, it has expired, "
        "or its result_ttl is 0"
    )
