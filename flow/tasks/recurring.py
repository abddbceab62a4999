"""@cron and @every: have the clock enqueue a task."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from flow.errors import InvalidSchedule, InvalidTask
from flow.registry import TASKS, Policy, PolicyOptions, Schedule
from flow.tasks.calls import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flow.tasks.options import CronOptions

T = TypeVar("T", bound="Task[..., Any, Any]")


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
    from flow.recurrence import Cron  # noqa: PLC0415 - a module without @cron need not pay

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
