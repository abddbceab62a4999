"""Task: a declared function, and how its calls are enqueued."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import update_wrapper
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, Unpack, cast

from flow import queue
from flow.errors import InvalidCall, NaiveDatetime
from flow.record import Invocation, JobRecord
from flow.store import current
from flow.tasks.checks import check_call, is_number, parent_ids
from flow.tasks.options import CallOptions, no_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flow.job import Job
    from flow.registry import Declaration

P = ParamSpec("P")
R = TypeVar("R")  # what a call returns
V = TypeVar("V")  # what its job results in: the same, or what the coroutine returns


@dataclass(frozen=True, slots=True)
class Call(Generic[V]):
    """A call that can be enqueued later, typed by what it results in."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Task(Generic[P, R, V]):
    """A function whose calls can be enqueued.

    Args:
        declaration: what was declared.
        options: what its calls are to have beyond that.
    """

    def __init__(
        self, declaration: Declaration, options: CallOptions | None = None
    ) -> None:
        """Wrap the declared function."""
        self.declaration = declaration
        self._options: CallOptions = options or {}
        self._signature = inspect.signature(declaration.function)
        update_wrapper(self, declaration.function)

    @property
    def name(self) -> str:
        """How people call it: the import path, unless ``name=`` was given."""
        return self.declaration.name

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function here and now, as if it were not a task."""
        return cast("R", self.declaration.function(*args, **kwargs))

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[V]:
        """Return a call for ``enqueue_many``.

        Raises:
            InvalidCall: the arguments do not fit the function.
        """
        self._bind(args, kwargs)
        made: Call[V] = Call(args, kwargs)
        return made

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[V]:
        """Enqueue a call; a worker runs it as soon as one is free.

        Raises:
            InvalidCall: the arguments do not fit, or cannot be pickled.
            NoServer: no Redis is named and none runs in the project.
            ServerUnreachable: the Redis does not answer.
        """
        return self._add([self.record(args, kwargs)])[0]

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[V]:
        """As ``enqueue``, without holding up the event loop."""
        record = self.record(args, kwargs)
        return (await asyncio.to_thread(self._add, [record]))[0]

    def enqueue_in(
        self, delay: float | timedelta, /, *args: P.args, **kwargs: P.kwargs
    ) -> Job[V]:
        """Enqueue a call that must not run before ``delay`` seconds have passed.

        Args:
            delay: seconds by the server's clock, or a timedelta.
            args: as the function takes them.
            kwargs: as the function takes them.

        Raises:
            InvalidCall: the arguments do not fit, or the delay is no number.
        """
        seconds = delay.total_seconds() if isinstance(delay, timedelta) else delay
        if not is_number(seconds):
            raise InvalidCall(f"a delay is a number of seconds, not {seconds!r}")
        return self._add([self._later(args, kwargs, delay=seconds)])[0]

    def enqueue_at(
        self, when: datetime, /, *args: P.args, **kwargs: P.kwargs
    ) -> Job[V]:
        """Enqueue a call that must not run before ``when``.

        Args:
            when: an aware datetime.
            args: as the function takes them.
            kwargs: as the function takes them.

        Raises:
            NaiveDatetime: ``when`` has no time zone.
        """
        if not isinstance(when, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidCall(f"enqueue_at takes a datetime, not {when!r}")
        if when.utcoffset() is None:
            raise NaiveDatetime(
                f"{when!r} has no time zone, so it names no instant; "
                "use datetime(..., tzinfo=ZoneInfo(...)) or .astimezone()"
            )
        return self._add([self._later(args, kwargs, due=when.timestamp())])[0]

    def enqueue_many(self, calls: Iterable[Call[V] | tuple[Any, ...]]) -> list[Job[V]]:
        """Enqueue many calls at once, and return their jobs in order.

        Args:
            calls: made by ``call``, or tuples of positional arguments.

        Raises:
            InvalidCall: a call does not fit or cannot be pickled; its index is named,
                and nothing was enqueued.
        """
        return self._add([self._indexed(i, call) for i, call in enumerate(calls)])

    def options(self, **options: Unpack[CallOptions]) -> Task[P, R, V]:
        """Return the same task, whose calls have these options.

        Args:
            options: ``id`` (a job's own; not for many calls), ``queue``,
                ``at_front`` (before all that wait), ``timeout`` (seconds; -1 none),
                ``retries``, ``result_ttl``, ``failure_ttl`` and ``ttl`` (seconds),
                ``depends_on`` (jobs or ids), ``description``, ``meta``.

        Raises:
            InvalidCall: an option has a value that cannot be.
        """
        unknown = set(options) - CallOptions.__annotations__.keys()
        if unknown:
            raise InvalidCall(no_option("a call", min(unknown), CallOptions))
        check_call(cast("Mapping[str, Any]", options))
        merged = cast("CallOptions", {**self._options, **options})
        return Task(self.declaration, merged)

    def _indexed(self, index: int, call: Call[V] | tuple[Any, ...]) -> JobRecord:
        if not isinstance(call, Call | tuple):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidCall(
                f"call {index}: a call is a tuple of arguments, or made by "
                f"the task's call(), not {call!r}"
            )
        args: tuple[Any, ...] = call.args if isinstance(call, Call) else call
        kwargs: Mapping[str, Any] = call.kwargs if isinstance(call, Call) else {}
        try:
            return self.record(args, kwargs)
        except InvalidCall as error:
            raise InvalidCall(f"call {index}: {error}") from error

    def _later(self, args: Any, kwargs: Any, **when: float) -> JobRecord:  # noqa: ANN401
        record = self.record(args, kwargs)
        if record.depends_on:
            # The end of its parents would start it, however early that is.
            raise InvalidCall(
                "a delay and depends_on exclude each other; "
                "enqueue the later job from the parent's own code"
            )
        return replace(record, **cast("Any", when))

    def record(self, args: Any, kwargs: Mapping[str, Any]) -> JobRecord:  # noqa: ANN401
        """Return what enqueueing this call would write.

        Raises:
            InvalidCall: the arguments do not fit the function.
        """
        self._bind(args, kwargs)
        declared, chosen = self.declaration, self._options
        if declared.path.startswith("__main__."):
            raise InvalidCall(
                f"{declared.path} is in the script that runs now, which a worker "
                "cannot import; move the task to a module"
            )
        retries = chosen.get("retries", declared.retries)
        return JobRecord(
            id=chosen.get("id") or queue.new_id(),
            chosen="id" in chosen,
            invocation=Invocation(declared.path, args, kwargs),
            queue=chosen.get("queue") or self._queue(),
            at_front=chosen.get("at_front", False),
            timeout=chosen.get("timeout", declared.timeout),
            retries=retries,
            intervals=_intervals(declared.backoff, retries),
            result_ttl=chosen.get("result_ttl", declared.result_ttl),
            failure_ttl=chosen.get("failure_ttl", declared.failure_ttl),
            ttl=chosen.get("ttl", declared.ttl),
            depends_on=parent_ids(chosen.get("depends_on", ())),
            description=chosen.get("description"),
            meta=chosen.get("meta"),
            on_crash=declared.on_crash or current.project().on_crash,
        )

    def _queue(self) -> str:
        if self.declaration.urgent:
            return current.project().urgent
        return self.declaration.queue or queue.DEFAULT

    def _bind(self, args: Any, kwargs: Mapping[str, Any]) -> None:  # noqa: ANN401
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidCall(
                f"{self.name}{self._signature} cannot be called so: {error}"
            ) from None

    def _add(self, records: list[JobRecord]) -> list[Job[V]]:
        if len(records) > 1 and "id" in self._options:
            raise InvalidCall("one id cannot be given to many calls")
        return queue.add(records)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by name, as functions are: RQ's own ``Queue.enqueue(task)`` does."""
        function = self.declaration.function
        return found, (function.__module__, function.__qualname__, self._options)

    def __repr__(self) -> str:
        """Return the class and the name."""
        return f"Task({self.name!r})"


def _intervals(backoff: object, retries: int | None) -> tuple[float, ...] | None:
    """Return a listed back-off as RQ's workers read it: one interval for each retry."""
    if not retries or not isinstance(backoff, list | tuple) or not backoff:
        return None
    listed = cast("Sequence[float]", backoff)
    return tuple(listed[min(n, len(listed) - 1)] for n in range(min(retries, 1000)))


def found(module: str, qualname: str, options: CallOptions) -> Task[..., Any, Any]:
    """Return the task that was pickled by this name."""
    declared: Task[..., Any, Any] = attrgetter(qualname)(
        importlib.import_module(module)
    )
    return declared.options(**options) if options else declared
