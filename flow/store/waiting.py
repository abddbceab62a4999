"""Waits until a job has ended; the same steps for threads and for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from flow import keys
from flow.errors import ServerUnreachable
from flow.record import Status
from flow.store.link import explained, longer, passing, settings
from flow.store.persistence import Persistence
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


class _Talk:
    """One wait: what is asked next, and the end once it is known.

    Args:
        job_id: whose end is waited for.
        timeout: seconds; None is for ever.
    """

    def __init__(self, job_id: str, timeout: float | None) -> None:
        """Begin with the first look."""
        self._steps = _steps(job_id, timeout)
        self.commands = next(self._steps)
        self.goes_on = True
        self.end: End | None = None
        self.delay = 0.0

    def take(self, replies: list[Any]) -> None:
        """Go one step on, by what was answered."""
        self.delay = 0.0
        try:
            self.commands = self._steps.send(replies)
        except StopIteration as done:
            self.goes_on, self.end = False, done.value


@contextlib.contextmanager
def _about(job_id: str) -> Generator[None]:
    try:
        yield
    except ServerUnreachable as error:
        text = f"whether job {job_id} has ended is not known: {error}"
        raise ServerUnreachable(text) from error


def wait(store: Store, job_id: str, timeout: float | None) -> End | None:
    """Return how the job ended; None when ``timeout`` seconds passed before.

    Raises:
        ServerUnreachable: the server was not there when they had passed.
    """
    persistence = _persistence(store, timeout)
    ask = partial(store.link.command, patience=persistence)
    talk = _Talk(job_id, timeout)
    with _about(job_id):
        while talk.goes_on:
            talk.take([ask(*words) for words in talk.commands])
    return talk.end


async def await_end(store: Store, job_id: str, timeout: float | None) -> End | None:  # noqa: ASYNC109 - as its plain twin
    """As ``wait``, without holding up the event loop."""
    persistence, address = _persistence(store, timeout), store.link.address
    talk = _Talk(job_id, timeout)
    while talk.goes_on:
        try:
            # A new client after each outage: sentinels are asked for the master anew.
            async with await async_client(address, **_settings()) as client:
                await _go_through(talk, client, persistence)
        except RedisError as error:
            pause = persistence.pause(error, talk.delay) if passing(error) else None
            if pause is None:
                with _about(job_id):
                    raise explained(error, address) from error
            talk.delay = longer(talk.delay)
            await asyncio.sleep(pause)
    return talk.end


async def _go_through(talk: _Talk, client: Any, persistence: Persistence) -> None:  # noqa: ANN401 - redis-py's
    while talk.goes_on:
        talk.take([await client.execute_command(*words) for words in talk.commands])
        persistence.answered()


def _settings() -> dict[str, Any]:
    """Return what connections are made with; asyncio's have a Retry of their own."""
    return {**settings(), "retry": Retry(NoBackoff(), 0)}


def _persistence(store: Store, timeout: float | None) -> Persistence:
    return Persistence(store.link.address, math.inf if timeout is None else timeout)
