"""Task: a declared function, and how its calls are enqueued."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import update_wrapper
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, Unpack, cast

from flow import queue
from flow.errors import InvalidCall, NaiveDatetime
from flow.record import Batch, Invocation, JobRecord
from flow.store import current
from flow.tasks.checks import check_call, is_number, parent_ids
from flow.tasks.options import CallOptions, no_option
from flow.tasks.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flow.config import Project
    from flow.job import Job
    from flow.registry import Declaration

P = ParamSpec("P")
R = TypeVar("R")  # what a call returns
V = TypeVar("V")  # what its job results in: the same, or what the coroutine returns


@dataclass(frozen=True, slots=True)
class Call(Generic[V]):
    """A call that can be enqueued later, typed by what it results in."""

    task: str  # the import path of what it calls
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Task(Generic[P, R, V]):
    """A function whose calls can be enqueued.

    Args:
        declaration: what was declared.
        options: what its calls are to have beyond that.
        parameters: the function's, where they are known already.
    """

    def __init__(
        self,
        declaration: Declaration,
        options: CallOptions | None = None,
        parameters: Parameters | None = None,
    ) -> None:
        """Wrap the declared function."""
        self.declaration = declaration
        self._options: CallOptions = options or {}
        self._parameters = parameters or Parameters(declaration.function)
        self._template: tuple[Project, JobRecord] | None = None
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
        self._parameters.check(self.name, args, kwargs)
        made: Call[V] = Call(self.declaration.path, args, kwargs)
        return made

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[V]:
        """Enqueue a call; a worker runs it as soon as one is free.

        Raises:
            InvalidCall: the arguments do not fit, or cannot be pickled.
            NoServer: no Redis is named and none runs in the project.
            ServerUnreachable: the Redis does not answer.
        """
        return self._send(self._like(), [self._invocation(args, kwargs)])[0]

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[V]:
        """As ``enqueue``, without holding up the event loop."""
        like, calls = self._like(), [self._invocation(args, kwargs)]
        return (await asyncio.to_thread(self._send, like, calls))[0]

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
        return self._later(args, kwargs, delay=seconds)

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
        return self._later(args, kwargs, due=when.timestamp())

    def enqueue_many(self, calls: Iterable[Call[V] | tuple[Any, ...]]) -> list[Job[V]]:
        """Enqueue many calls at once, and return their jobs in order.

        Args:
            calls: made by ``call``, or tuples of positional arguments.

        Raises:
            InvalidCall: a call does not fit, cannot be pickled or is another task's;
                its index is named, and nothing was enqueued.
        """
        invocations = [self._indexed(i, call) for i, call in enumerate(calls)]
        if len(invocations) > 1 and "id" in self._options:
            raise InvalidCall("one id cannot be given to many calls")
        return self._send(self._like(), invocations) if invocations else []

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
        return Task(self.declaration, merged, self._parameters)

    def _indexed(self, index: int, call: Call[V] | tuple[Any, ...]) -> Invocation:
        try:
            if isinstance(call, tuple):
                return self._invocation(call, {})
            if isinstance(call, Call):  # pyright: ignore[reportUnnecessaryIsInstance]
                self._check_mine(call)
                return self._invocation(call.args, call.kwargs)
        except InvalidCall as error:
            raise InvalidCall(f"call {index}: {error}") from error
        raise InvalidCall(
            f"call {index}: a call is a tuple of arguments, or made by "
            f"the task's call(), not {call!r}"
        )

    def _check_mine(self, call: Call[V]) -> None:
        if call.task != self.declaration.path:
            raise InvalidCall(f"a call of {call.task}, not of {self.declaration.path}")

    def _later(self, args: Any, kwargs: Any, **when: float) -> Job[V]:  # noqa: ANN401 - as the task takes them
        invocation, like = self._invocation(args, kwargs), self._like()
        if like.depends_on:
            # The end of its parents would start it, however early that is.
            raise InvalidCall(
                "a delay and depends_on exclude each other; "
                "enqueue the later job from the parent's own code"
            )
        return self._send(replace(like, **cast("Any", when)), [invocation])[0]

    def record(self, args: Any, kwargs: Mapping[str, Any]) -> JobRecord:  # noqa: ANN401 - likewise
        """Return what enqueueing this call would write.

        Raises:
            InvalidCall: the arguments do not fit the function.
        """
        like, invocation = self._like(), self._invocation(args, kwargs)
        return replace(like, id=like.id or queue.new_id(), invocation=invocation)

    def _invocation(self, args: Any, kwargs: Mapping[str, Any]) -> Invocation:  # noqa: ANN401 - likewise
        self._parameters.check(self.name, args, kwargs)
        return Invocation(self.declaration.path, args, kwargs)

    def _like(self) -> JobRecord:
        """Return what all calls have in common, in a record without id and call."""
        project = current.project()
        if self._template is None or self._template[0] is not project:
            self._template = project, self._made_of(project)
        return self._template[1]

    def _made_of(self, project: Project) -> JobRecord:
        declared, chosen = self.declaration, self._options
        if declared.path.startswith("__main__."):
            raise InvalidCall(
                f"{declared.path} is in the script that runs now, which a worker "
                "cannot import; move the task to a module"
            )
        lane = project.urgent if declared.urgent else declared.queue
        retries = chosen.get("retries", declared.retries)
        return JobRecord(
            id=chosen.get("id", ""),
            chosen="id" in chosen,
            invocation=Invocation(declared.path),
            queue=chosen.get("queue") or lane or queue.DEFAULT,
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
            on_crash=declared.on_crash or project.on_crash,
        )

    def _send(self, like: JobRecord, calls: list[Invocation]) -> list[Job[V]]:
        if like.chosen:
            return queue.add(Batch(like, [(like.id, call) for call in calls]))
        return queue.add(Batch(like, [(queue.new_id(), call) for call in calls]))

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
