"""From a claim to what is to be called: the task's function, or an import path's."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from flow import codec
from flow.errors import UnknownTask, UnreadableJob
from flow.registry import TASKS, Declaration
from flow.running import execution
from flow.store import rqcurrent
from flow.store.client import AFTERMATH
from flow.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flow.record import Claim, Invocation


_is_async = cache(inspect.iscoroutinefunction)  # for tasks, of which an app has a few


@dataclass(slots=True)  # not frozen: each job has one, and that costs
class Work:
    """A claim that is ready to run.

    Args:
        claim: the execution.
        name: what the log calls it.
        function: what to call.
        args: positional arguments.
        kwargs: named arguments.
        task: the declaration, if the function is a task.
        is_async: whether it runs on the event loop; asked often, so it is kept.
        once: whether it must never run twice.
        isolated: whether it runs in a process of its own.
    """

    claim: Claim
    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    task: Declaration | None = None
    is_async: bool = False
    once: bool = False
    isolated: bool = False


def resolve(claim: Claim, *, strict: bool = False, on_crash: str = "retry") -> Work:
    """Return the work of a claim.

    Args:
        claim: what this process holds.
        strict: accept declared tasks only.
        on_crash: for jobs and tasks that do not say it themselves.

    Raises:
        UnreadableJob: what Redis holds for it is not a call.
        UnknownTask: its module or attribute does not exist here.
        Exception: whatever the module raises while it is imported.
    """
    if claim.data is None:
        raise UnreadableJob("the job has no data; was it deleted, or written by hand?")
    invocation = codec.unpack_invocation(claim.data)
    declared = TASKS.find(invocation.path)
    instance: object = invocation.instance
    if isinstance(instance, Task):
        # RQ stores a call of an object as a method of that object.
        declared = cast("Task[..., Any, Any]", instance).declaration
    if strict and declared is None and invocation.path != AFTERMATH:
        # Before anything is imported: to import a module is to run it.
        known = ", ".join(sorted(task.name for task in TASKS)) or "none"
        raise UnknownTask(
            f"{invocation.path}: it is no declared task, and [tool.flow] strict allows "
            f"no other; known: {known}"
        )
    function = _function(invocation) if declared is None else declared.function
    if isinstance(function, Task):
        declared, function = function.declaration, function.declaration.function
    name = declared.name if declared else invocation.path
    isolated = declared is not None and declared.isolate
    is_async = (_is_async if declared else inspect.iscoroutinefunction)(function)
    # In a process of its own a coroutine needs no loop that it shares with others.
    is_async = is_async and not isolated
    args, kwargs = invocation.args, invocation.kwargs
    says = claim.on_crash or (declared.on_crash if declared else None) or on_crash
    once = says == "fail"
    kinds = (is_async, once, isolated)
    return Work(claim, name, function, args, kwargs, declared, *kinds)


def broken(claim: Claim, error: BaseException) -> Work:
    """Return work that raises ``error``: what there is to call was not found."""

    def fail() -> None:
        raise error

    return Work(claim, claim.job_id, fail, (), {})


def _function(invocation: Invocation) -> Callable[..., Any]:
    if invocation.instance is not None:
        method: Callable[..., Any] = getattr(invocation.instance, invocation.path)
        return method
    parts = invocation.path.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:cut])
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):
                raise  # the module is there; something that it imports is not
            continue
        rqcurrent.serve(execution)  # it may be the first to load RQ
        return _attribute(found, parts[cut:], invocation.path)
    raise UnknownTask(f"{invocation.path}: there is no such module")


def _attribute(found: Any, names: list[str], path: str) -> Callable[..., Any]:  # noqa: ANN401 - what a name leads to
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError:
            raise UnknownTask(f"{path}: there is no {name!r}") from None
    if not callable(found):
        raise UnknownTask(f"{path}: it cannot be called")
    function: Callable[..., Any] = found
    return function
