"""@task, @cron and @every: declare what jobs can call, and enqueue it.

A task stays callable as the function it decorates; ``enqueue`` takes the same
arguments and is typed like it.
"""

from __future__ import annotations

import asyncio
import difflib
import importlib
import inspect
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial, update_wrapper
from operator import attrgetter
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    ParamSpec,
    Protocol,
    TypedDict,
    TypeGuard,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from flow import queue
from flow.errors import InvalidCall, InvalidSchedule, InvalidTask, NaiveDatetime
from flow.job import Job
from flow.record import Invocation, JobRecord
from flow.registry import TASKS, Declaration, Policy, PolicyOptions, Schedule
from flow.store import current

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from flow.recurrence.transitions import Dst

P = ParamSpec("P")
R = TypeVar("R")  # what a call returns
V = TypeVar("V")  # what its job results in: the same, or what the coroutine returns
T = TypeVar("T", bound="Task[..., Any, Any]")


class TaskOptions(TypedDict, total=False):
    """How a task's jobs run, unless a call says otherwise; see ``task``."""

    name: str
    queue: str
    urgent: bool
    retries: int
    backoff: Sequence[float] | Callable[[int], float]
    timeout: float
    result_ttl: int
    failure_ttl: int
    ttl: int
    on_crash: str


class CronOptions(PolicyOptions, total=False):
    """What the clock does in odd hours, where the clocks change too."""

    dst: Dst


class CallOptions(TypedDict, total=False):
    """How one call's job runs; see ``Task.options``."""

    id: str
    queue: str
    at_front: bool
    timeout: float
    retries: int
    result_ttl: int
    failure_ttl: int
    ttl: int
    depends_on: Job[Any] | str | Sequence[Job[Any] | str]
    description: str
    meta: Mapping[str, Any]


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
        if not _is_number(seconds):
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
            raise InvalidCall(_no_option("a call", min(unknown), CallOptions))
        _check_call(cast("Mapping[str, Any]", options))
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
            depends_on=_ids(chosen.get("depends_on", ())),
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
        return _found, (function.__module__, function.__qualname__, self._options)

    def __repr__(self) -> str:
        """Return the class and the name."""
        return f"Task({self.name!r})"


class Decorator(Protocol):
    """What ``@task(...)`` returns."""

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, V]], /
    ) -> Task[P, Coroutine[Any, Any, V], V]: ...

    @overload
    def __call__(self, function: Callable[P, V], /) -> Task[P, V, V]: ...


@overload
def task(
    function: Callable[P, Coroutine[Any, Any, V]], /
) -> Task[P, Coroutine[Any, Any, V], V]: ...


@overload
def task(function: Callable[P, V], /) -> Task[P, V, V]: ...


@overload
def task(**options: Unpack[TaskOptions]) -> Decorator: ...


def task(
    function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]
) -> Any:
    """Declare a function whose calls can be enqueued; bare, or with options.

    Args:
        function: plain or ``async def``, at the top of a module or class.
        options: ``name`` (for people, unique; the import path by default),
            ``queue``, ``urgent`` (the urgent lane; excludes ``queue``), ``retries``
            (after an error), ``backoff`` (seconds before each retry, or a function
            of the attempt's number; exponential by default), ``timeout`` (seconds;
            180 by default, -1 none), ``result_ttl`` (seconds; 500), ``failure_ttl``
            (seconds; a year), ``ttl`` (seconds it may wait), ``on_crash``
            (``"retry"``, or ``"fail"`` for work that must never run twice).

    Returns:
        A Task, callable as the function.

    Raises:
        InvalidTask: options contradict each other, or the name is taken.
    """
    if function is None:
        return partial(_declare, options=options)
    return _declare(function, options)


def cron(
    expression: str,
    *,
    tz: str | None = None,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    **policy: Unpack[CronOptions],
) -> Callable[[T], T]:
    """Have the clock enqueue a task by a cron expression; stands above ``@task``.

    Args:
        expression: five fields, or six with the seconds first; docs/cron.md.
        tz: a zone's name such as ``Europe/London``; UTC by default.
        args: positional arguments of the call.
        kwargs: named arguments of the call.
        name: tells two schedules of one task apart.
        policy: ``catch_up``, ``window``, ``maximum``, ``overlap``, ``jitter``,
            ``on_data_loss`` and ``dst``; docs/clock.md.

    Raises:
        InvalidSchedule: the expression is wrong or ambiguous, or there is no such zone.
    """
    if not isinstance(expression, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidSchedule(
            '@cron needs an expression: @cron("0 7 * * mon-fri", tz="Europe/London")'
        )
    # Parsing croniter's way costs an import that a module without @cron need not pay.
    from flow.recurrence import Cron  # noqa: PLC0415

    dst = policy.pop("dst", "vixie")
    Cron(expression, tz=tz, dst=dst, id=name or "declared")
    call = (args, kwargs or {}, name)
    return _scheduled(
        Schedule("cron", expression, tz, *call, dst, checked_policy(policy))
    )


def every(
    seconds: float,
    *,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    **policy: Unpack[PolicyOptions],
) -> Callable[[T], T]:
    """Have the clock enqueue a task at a fixed interval; stands above ``@task``.

    Args:
        seconds: the interval, at least 1; ticks are its multiples since 1970 (UTC).
        args: positional arguments of the call.
        kwargs: named arguments of the call.
        name: tells two schedules of one task apart.
        policy: as of ``cron``, without ``dst``.

    Raises:
        InvalidSchedule: the interval is too short, or the policy cannot be.
    """
    if not isinstance(seconds, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidSchedule(f"@every takes a number of seconds, not {seconds!r}")
    from flow.recurrence import Every  # noqa: PLC0415 - as in cron

    Every(seconds)
    call = (args, kwargs or {}, name)
    spec = f"{seconds:.15g}"
    return _scheduled(
        Schedule("every", spec, None, *call, policy=checked_policy(policy))
    )


def checked_policy(options: Mapping[str, Any]) -> Policy:
    """Return the policy that these options make.

    Raises:
        InvalidSchedule: there is no such option, or a value cannot be.
    """
    if unknown := sorted(set(options) - PolicyOptions.__annotations__.keys()):
        raise InvalidSchedule(f"a schedule has no option {unknown[0]!r}")
    return Policy(**options)


def _scheduled(schedule: Schedule) -> Callable[[T], T]:
    def add(declared: T) -> T:
        if not isinstance(declared, Task):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTask(
                f"@{schedule.kind} stands above @task: it schedules a task, "
                f"not {declared!r}"
            )
        declared.call(*schedule.args, **schedule.kwargs)
        schedules = (*declared.declaration.schedules, schedule)
        declared.declaration = replace(declared.declaration, schedules=schedules)
        TASKS.add(declared.declaration)
        return declared

    return add


def _declare(function: Callable[..., Any], options: TaskOptions) -> Task[..., Any, Any]:
    path = _path(function)
    unknown = set(options) - TaskOptions.__annotations__.keys()
    if unknown:
        raise InvalidTask(_no_option(f"{path}: a task", min(unknown), TaskOptions))
    if options.get("urgent") and options.get("queue"):
        raise InvalidTask(
            f"{path}: urgent=True is the urgent lane, so it excludes queue="
        )
    if options.get("on_crash", "retry") not in ("retry", "fail"):
        raise InvalidTask(f'{path}: on_crash is "retry" or "fail"')
    _check_numbers(cast("Mapping[str, Any]", options), InvalidTask)
    _check_backoff(options.get("backoff"))
    declaration = Declaration(path, function, **cast("Any", {"name": path, **options}))
    TASKS.add(declaration)
    return Task(declaration)


def _no_option(whose: str, name: str, options: type[Any]) -> str:
    """Return the sentence for an option that does not exist."""
    known = sorted(options.__annotations__)
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return f"{whose} has no option {name!r}; {hint}"


def _intervals(backoff: object, retries: int | None) -> tuple[float, ...] | None:
    """Return a listed back-off as RQ's workers read it: one interval for each retry."""
    if not retries or not isinstance(backoff, list | tuple) or not backoff:
        return None
    listed = cast("Sequence[float]", backoff)
    return tuple(listed[min(n, len(listed) - 1)] for n in range(min(retries, 1000)))


def _path(function: Callable[..., Any]) -> str:
    if not inspect.isroutine(function):
        raise InvalidTask(f"@task decorates a function, not {function!r}")
    if "<" in function.__qualname__:  # <locals> or <lambda>
        raise InvalidTask(
            f"{function.__qualname__} is a lambda or made inside a function, where a "
            "worker cannot import it; def it at the top of its module"
        )
    return f"{_module(function)}.{function.__qualname__}"


def _module(function: Callable[..., Any]) -> str:
    """Return the name that a worker imports; ``python -m shop.tasks`` knows its own."""
    if function.__module__ != "__main__":
        return function.__module__
    spec = function.__globals__.get("__spec__")
    return spec.name if spec is not None else "__main__"


def _found(module: str, qualname: str, options: CallOptions) -> Task[..., Any, Any]:
    """Return the task that was pickled by this name."""
    declared: Task[..., Any, Any] = attrgetter(qualname)(
        importlib.import_module(module)
    )
    return declared.options(**options) if options else declared


def _check_call(options: Mapping[str, Any]) -> None:
    _check_numbers(options, InvalidCall)
    if "id" in options:
        queue.checked_id(options["id"])
    name = options.get("queue", queue.DEFAULT)
    if not name or not isinstance(name, str):
        raise InvalidCall(f"a queue is named by a text, not {name!r}")
    _ids(options.get("depends_on", ()))


def _check_numbers(options: Mapping[str, Any], error: type[Exception]) -> None:
    lowest = {"timeout": -1, "retries": 0, "result_ttl": -1, "failure_ttl": -1}
    for option, least in {**lowest, "ttl": 1}.items():
        value = options.get(option)
        if value is None:
            continue
        whole = option != "timeout"  # Redis and RQ know whole seconds only
        if not _is_number(value) or (whole and value != int(value)):
            kind = "whole number" if whole else "number"
            raise error(f"{option} is a {kind} of seconds or times, not {value!r}")
        if value < least or (option == "timeout" and -1 < value <= 0):
            raise error(f"{option}={value} is too small; at least {least}")


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _check_backoff(backoff: object) -> None:
    if backoff is None or callable(backoff):
        return
    listed = (
        cast("list[object]", backoff) if isinstance(backoff, list | tuple) else [""]
    )
    if not all(_is_number(seconds) and seconds >= 0 for seconds in listed):
        raise InvalidTask(
            "backoff is a list of seconds, or a function of the attempt's number, "
            f"not {backoff!r}"
        )


def _ids(parents: object) -> tuple[str, ...]:
    several = isinstance(parents, list | tuple | set)
    listed = cast("list[object]", parents) if several else [parents]
    ids = [one.id if isinstance(one, Job) else one for one in listed]
    if not all(isinstance(one, str) for one in ids):
        raise InvalidCall(
            f"depends_on is a job, an id or a list of them, not {parents!r}"
        )
    return tuple(cast("list[str]", ids))
