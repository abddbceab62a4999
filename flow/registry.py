"""What the app declares: its tasks with their options and schedules.

Filled while the app's modules are imported, read by workers and clocks.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from flow.errors import AppError, InvalidSchedule, InvalidTask, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flow.recurrence.transitions import Dst


HERE = f"{Path(__file__).parent}{os.sep}"  # what the files of flow begin with
CHOICES = {
    "catch_up": ("latest", "skip", "all"),
    "overlap": ("allow", "skip", "queue_one", "cancel_previous"),
    "on_data_loss": ("again", "skip"),
}


class PolicyOptions(TypedDict, total=False):
    """What the clock does in odd hours; see ``Policy``."""

    catch_up: Literal["latest", "skip", "all"]
    window: float
    maximum: int
    overlap: Literal["allow", "skip", "queue_one", "cancel_previous"]
    jitter: float
    on_data_loss: Literal["again", "skip"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the clock does when ticks were missed, or jobs still run.

    Args:
        catch_up: of missed ticks, ``latest`` enqueues the last one, ``skip`` none,
            ``all`` each.
        window: seconds after which a missed tick is not worth enqueueing; None: never.
        maximum: how many missed ticks ``all`` enqueues at most, the latest ones.
        overlap: while the job of the tick before has not ended, ``allow`` enqueues,
            ``skip`` does not, ``queue_one`` lets one wait for its end, and
            ``cancel_previous`` cancels it.
        jitter: seconds within which a tick's job is enqueued, drawn per tick.
        on_data_loss: ``again`` repeats ticks that Redis has forgotten, ``skip`` never.

    Raises:
        InvalidSchedule: a value that cannot be.
    """

    catch_up: str = "latest"
    window: float | None = None
    maximum: int = 100
    overlap: str = "allow"
    jitter: float = 0.0
    on_data_loss: str = "again"

    def __post_init__(self) -> None:
        """Check them."""
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise InvalidSchedule(
                    f"{name}={getattr(self, name)!r}: write one of {', '.join(known)}"
                )
        numbers = {"window": self.window, "jitter": self.jitter}
        for name, value in {**numbers, "maximum": self.maximum}.items():
            if value is not None and not 0 <= value < float("inf"):
                raise InvalidSchedule(f"{name}={value!r} is no number from 0 on")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a task is enqueued by the clock.

    Args:
        kind: ``cron`` or ``every``.
        spec: the cron expression, or the seconds.
        tz: the zone's name; None is UTC.
        args: positional arguments of the call.
        kwargs: named arguments of the call.
        name: tells two schedules of one task apart.
        dst: what fixed times do where the clocks change; see ``Cron``.
        policy: what is done when ticks were missed, or jobs still run.
    """

    kind: str
    spec: str
    tz: str | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str | None = None
    dst: Dst = "vixie"
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A task as it was declared.

    Args:
        path: the import path, under which its jobs are stored.
        function: what runs.
        name: how people call it; the path by default.
        queue: the queue's name; None is ``default``, or the urgent lane.
        urgent: whether it belongs to the urgent lane.
        retries: how often it runs again after an error.
        backoff: seconds before each retry, or a function of the attempt's number.
        timeout: seconds it may run; None is RQ's 180, -1 no limit.
        result_ttl: seconds its result is kept; None is RQ's 500.
        failure_ttl: seconds a failure is kept; None is RQ's year.
        ttl: seconds after which it is not worth starting.
        on_crash: ``retry`` or ``fail``; None leaves it to the project.
        retry_on: the errors after which it runs again; None for all.
        give_up_on: those after which it does not, whatever ``retry_on`` says.
        isolate: whether each job runs in a process of its own.
        schedules: when the clock enqueues it.
    """

    path: str
    function: Callable[..., Any]
    name: str
    queue: str | None = None
    urgent: bool = False
    retries: int | None = None
    backoff: Sequence[float] | Callable[[int], float] | None = None
    timeout: float | None = None
    result_ttl: int | None = None
    failure_ttl: int | None = None
    ttl: int | None = None
    on_crash: str | None = None
    retry_on: tuple[type[BaseException], ...] | None = None
    give_up_on: tuple[type[BaseException], ...] = ()
    isolate: bool = False
    schedules: tuple[Schedule, ...] = ()

    def retries_after(self, error: BaseException) -> bool:
        """Return whether a job may run again that raised this error.

        Of a group, as asyncio.TaskGroup raises it, each one must allow it.
        """
        raised = [error, *leaves(error)]
        if any(isinstance(one, self.give_up_on) for one in raised):
            return False
        allowed = self.retry_on
        if allowed is None or isinstance(error, allowed):
            return True
        return all(isinstance(one, allowed) for one in leaves(error))


class Registry:
    """The declarations of one process, by import path and by name."""

    def __init__(self) -> None:
        """Start empty."""
        self._by_path: dict[str, Declaration] = {}
        self._by_name: dict[str, str] = {}

    def add(self, declaration: Declaration) -> None:
        """Add a declaration, or put it in the place of the same function's.

        Raises:
            InvalidTask: another task has its name.
        """
        owner = self._by_name.get(declaration.name, declaration.path)
        if owner != declaration.path:
            raise InvalidTask(
                f"two tasks are named {declaration.name!r}: {owner} and "
                f"{declaration.path}; give one of them another name="
            )
        self._by_path[declaration.path] = declaration
        self._by_name[declaration.name] = declaration.path

    def find(self, path: str) -> Declaration | None:
        """Return the task of that import path or name."""
        return self._by_path.get(self._by_name.get(path, path))

    def __iter__(self) -> Iterator[Declaration]:
        """Go through all declarations, in the order they were made."""
        return iter(self._by_path.values())

    def queues(self) -> list[str]:
        """Return the ordinary queues that tasks name, in the order of declaration."""
        named = (d.queue for d in self if d.queue and not d.urgent)
        return list(dict.fromkeys(named))


TASKS = Registry()


def load_app(modules: Sequence[str], root: Path) -> None:
    """Import the app's modules, as Python run in ``root`` would.

    Raises:
        AppError: a module is missing, or it fails while it is imported.
    """
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    for module in modules:
        _load(module, root)


def _load(module: str, root: Path) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        own = f"{module}.".startswith(f"{error.name}.")
        if not own:
            raise AppError(
                f"the app's module {module!r} fails while it is imported: "
                f"{error}{_place(error)}; is it installed here?"
            ) from error
        raise AppError(
            f"there is no module {error.name!r} (looked for {module!r} in {root}); "
            'name it in [tool.flow] app = "package.module", FLOW_APP or --app'
        ) from error
    except (Exception, SystemExit) as error:  # the user's code: anything may happen
        told = traceback.format_exception_only(error)[-1].strip()
        raise AppError(
            f"the app's module {module!r} fails while it is imported: "
            f"{told}{_place(error)}"
        ) from error


def _place(error: BaseException) -> str:
    """Return the file and line that raised; the app's own, where flow refused it."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [
        f
        for f in frames
        if not f.filename.startswith(HERE) and "importlib" not in f.filename
    ]
    return f" ({theirs[-1].filename}:{theirs[-1].lineno})" if theirs else ""
