"""Waits until a job has ended; the same steps for threads and for asyncio."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from flow import keys
from flow.errors import ServerUnreachable
from flow.record import Status
from flow.store.link import settings
from flow.store.pools import async_client

if TYPE_CHECKING:
    from collections.abc import Generator

    from flow.store.client import Store

SLICE = 1.0  # seconds after which it looks for a cancel, which leaves no entry
ENDED = {1: Status.FINISHED, 2: Status.FAILED, 3: Status.STOPPED, 5: Status.FAILED}

Commands = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class End:
    """How a job ended.

    Args:
        status: finished, failed, stopped or canceled; None when there is no such job.
        value: the packed result.
        failure: the packed text of the failure.
        reason: why it discarded itself; None when it did not.
    """

    status: Status | None
    value: bytes | None = None
    failure: bytes | None = None
    reason: str | None = None


def _steps(job_id: str, timeout: float | None) -> Generator[Commands, list[Any], Any]:
    deadline = None if timeout is None else time.monotonic() + timeout
    stream, last = keys.results(job_id), b"0-0"
    # The stream first: an entry that was read before the status cannot be the end of a
    # job that has not ended, so that nothing is waited for behind it.
    look: Commands = [
        ("XREVRANGE", stream, "+", "-", "COUNT", 1),
        ("HGET", keys.job(job_id), "status"),
    ]
    while True:
        entries, raw = yield look
        # As text: RQ 3 has words for "not yet" that flow does not write.
        status = raw.decode() if raw else None
        if entries:
            last = entries[0][0]
        if status is None or status == Status.CANCELED:
            return (yield from _without_entry(job_id, status))
        if status in ENDED.values():
            return (yield from _last_look(status, entries, look))
        if (block := _slice(deadline)) <= 0:
            return None
        (found,) = yield [("XREAD", "BLOCK", block, "STREAMS", stream, last)]
        for entry in _entries(found):
            last = entry[0]
            if (end := _end(entry)).status is not None:
                return end


def _without_entry(
    job_id: str, status: str | None
) -> Generator[Commands, list[Any], End]:
    if status is None:
        return End(None)
    (why,) = yield [("HGET", keys.job(job_id), "flow_discarded")]
    return End(Status.CANCELED, reason=None if why is None else why.decode())


def _last_look(
    status: str, entries: list[Any], look: Commands
) -> Generator[Commands, list[Any], End]:
    if not entries or _end(entries[0]).status != status:
        entries, _ = yield look  # it ended between the two reads
    return _end(entries[0]) if entries else _end_without_result(status)


def _slice(deadline: float | None) -> int:
    """Return the milliseconds to wait before the next look; 0 when time is up."""
    left = SLICE if deadline is None else min(SLICE, deadline - time.monotonic())
    return max(1, int(left * 1000)) if left > 0 else 0


def _end_without_result(status: str) -> End:
    """Return the end of a job whose results were deleted."""
    return End(None if status == Status.FINISHED else Status(status))


def _entries(found: Any) -> list[Any]:  # noqa: ANN401 - RESP2 has a list, RESP3 a map
    if not found:
        return []
    if isinstance(found, dict):
        streams = cast("dict[bytes, list[Any]]", found)
        entries = next(iter(streams.values()))
        # redis-py's RESP3 reader wraps the entries once more.
        return entries[0] if isinstance(entries[0][0], list | tuple) else entries
    listed: list[Any] = found[0][1]
    return listed


def _end(entry: Any) -> End:  # noqa: ANN401 - as redis-py gives it
    fields: dict[bytes, bytes] = entry[1]
    status = ENDED.get(int(fields[b"type"]))
    return End(status, fields.get(b"return_value"), fields.get(b"exc_string"))


def wait(store: Store, job_id: str, timeout: float | None) -> End | None:
    """Return how the job ended; None when ``timeout`` seconds passed before."""
    steps = _steps(job_id, timeout)
    commands = next(steps)
    try:
        while True:
            commands = steps.send([store.link.command(*words) for words in commands])
    except StopIteration as done:
        return cast("End | None", done.value)


async def await_end(store: Store, job_id: str, timeout: float | None) -> End | None:  # noqa: ASYNC109
    """Return how the job ended, without holding up the event loop."""
    steps = _steps(job_id, timeout)
    commands = next(steps)
    try:
        async with await async_client(store.link.address, **_settings()) as client:
            while True:
                replies = [await client.execute_command(*words) for words in commands]
                commands = steps.send(replies)
    except StopIteration as done:
        return cast("End | None", done.value)
    except RedisError as error:
        message = f"no answer from {store.link.address}: {error}"
        raise ServerUnreachable(message) from error


def _settings() -> dict[str, Any]:
    """Return what connections are made with; these commands only read: one more try."""
    return {**settings(), "retry": Retry(NoBackoff(), 1)}
