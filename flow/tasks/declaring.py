"""@task: declare a function whose calls can be enqueued."""

from __future__ import annotations

import inspect
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    ParamSpec,
    Protocol,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from flow.errors import InvalidTask
from flow.registry import TASKS, Declaration
from flow.tasks.calls import Task
from flow.tasks.checks import check_task, error_classes
from flow.tasks.options import TaskOptions, no_option

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
V = TypeVar("V")  # what its job results in: the same, or what the coroutine returns


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
            (``"retry"``, or ``"fail"`` for work that must never run twice),
            ``retry_on`` (an error's class, or several: ``retries`` are for these
            alone), ``give_up_on`` (not for these, whatever ``retry_on`` says),
            ``isolate`` (True: each job runs in a forked process of its own).

    Returns:
        A Task, callable as the function.

    Raises:
        InvalidTask: options contradict each other, or the name is taken.
    """
    if function is None:
        return partial(_declare, options=options)
    return _declare(function, options)


def _declare(function: Callable[..., Any], options: TaskOptions) -> Task[..., Any, Any]:
    path = _path(function)
    unknown = set(options) - TaskOptions.__annotations__.keys()
    if unknown:
        raise InvalidTask(no_option(f"{path}: a task", min(unknown), TaskOptions))
    check_task(path, options)
    given = {"name": path, **options, **error_classes(path, options)}
    declaration = Declaration(path, function, **cast("Any", given))
    TASKS.add(declaration)
    return Task(declaration)


def _path(function: Callable[..., Any]) -> str:
    # A partial is a routine since Python 3.14, but has no name to be imported by.
    if not inspect.isroutine(function) or not hasattr(function, "__qualname__"):
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
