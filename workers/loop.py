"""The event loop of a process: ``async def`` jobs run here, many at a time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, cast

from flow.errors import JobStopped, SoftTimeout
from flow.running import RUNNING, Running
from flow.workers import callbacks, executor, returned, timeout

NEVER = float("-inf")

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flow.outcome import Outcome
    from flow.record import Claim
    from flow.workers.resolve import Work


class Loop:
    """One event loop in a thread of its own, started when first used.

    Args:
        begin: told when a job begins; answers whether it still may.
        done: told its outcome.
        stopping: whether the worker was told to stop.
    """

    def __init__(
        self,
        begin: Callable[[Work], Awaitable[bool]],
        done: Callable[[Work, Outcome], None],
        stopping: Callable[[], bool],
    ) -> None:
        """Start nothing yet: most processes never run a coroutine."""
        self._begin = begin
        self._done = done
        self._stopping = stopping
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._inside: dict[asyncio.Task[None], Work] = {}
        self._stopped: dict[asyncio.Task[None], float] = {}

    def submit(self, work: Work) -> None:
        """Run a job as soon as the loop turns."""
        if self._loop is None:
            self._loop = self._start()
        self._loop.call_soon_threadsafe(self._spawn, work)

    def under_way(self) -> list[Work]:
        """Return what runs now."""
        return list(self._inside.values())

    def stop(self, wanted: Callable[[Work], bool]) -> None:
        """Cancel the jobs that run and are wanted, as soon as the loop turns."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel, wanted)

    def _cancel(self, wanted: Callable[[Work], bool]) -> None:
        # Only inside the job itself: before and after it nobody would settle it.
        for task, work in list(self._inside.items()):
            now = time.monotonic()
            if wanted(work) and now - self._stopped.get(task, NEVER) > timeout.SPARED:
                self._stopped[task] = now
                task.cancel()

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        threading.Thread(
            target=_run_for_ever, args=(loop,), name="flow-event-loop", daemon=True
        ).start()
        return loop

    def _spawn(self, work: Work) -> None:
        assert self._loop is not None  # noqa: S101 - for the checkers
        task = self._loop.create_task(self._run(work), name=work.name)
        # The loop itself keeps only weak references to its tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, work: Work) -> None:
        if not await self._begin(work):
            return
        started = time.time()
        running: Running = [(work, started)]
        RUNNING.set(running)  # in the context of this asyncio task alone
        try:
            value = await self._call(work)
            rare = None
            if work.claim.extras is not None or returned.asks(value):
                # In a thread: a callback is plain code, and other jobs go on meanwhile.
                rare = await asyncio.to_thread(_rare, work.claim, value, started)
        except BaseException as error:  # noqa: BLE001 - user code may raise anything
            outcome = await self._failure(work, error, (started, time.time()))
        else:
            span = (started, time.time())
            outcome = rare or executor.success(work.claim, value, span)
        finally:
            running.clear()
        self._done(work, outcome)

    async def _failure(
        self, work: Work, error: BaseException, span: tuple[float, float]
    ) -> Outcome:
        stopping = self._stopping()
        if work.claim.extras is None and not isinstance(error, JobStopped):
            return executor.failure(work, error, span, stopping=stopping)
        return await asyncio.to_thread(
            executor.failure, work, error, span, stopping=stopping
        )

    async def _call(self, work: Work) -> Any:  # noqa: ANN401 - whatever the job returns
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._inside[task] = work
        try:
            return await _limited(work)
        except BaseException as error:
            if task in self._stopped:
                raise JobStopped(timeout.STOPPED) from error
            raise
        finally:
            del self._inside[task]
            self._stopped.pop(task, None)


def _rare(claim: Claim, value: object, started: float) -> Outcome | None:
    if returned.asks(value):
        return returned.outcome(claim, value, (started, time.time()))
    callbacks.succeeded(claim, value)
    return None


def _run_for_ever(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        # A SystemExit in a task that a job spawned leaves the loop; other jobs go on.
        with contextlib.suppress(SystemExit, KeyboardInterrupt):
            loop.run_forever()


async def _limited(work: Work) -> Any:  # noqa: ANN401 - whatever the job returns
    seconds = work.claim.timeout
    limit = asyncio.timeout(None if seconds < 0 else seconds)
    try:
        async with limit:
            return await work.function(*work.args, **work.kwargs)
    except TimeoutError:
        if limit.expired():
            raise SoftTimeout(timeout.text(seconds)) from None
        raise
