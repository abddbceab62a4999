"""What an option's value may be: each check raises one clear sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from flow import queue
from flow.errors import InvalidCall, InvalidTask
from flow.job import Job

if TYPE_CHECKING:
    from flow.tasks.options import TaskOptions

MOST_PARENTS = 1000  # of a job: one call of enqueue writes them all, and stays short

LEAST = {  # the lowest number of an option, and what to write instead of a lower one
    "timeout": (-1, "a number above 0, or -1 for no limit"),
    "retries": (0, "at least 0"),
    "result_ttl": (-1, "at least 0, or -1 for ever"),
    "failure_ttl": (-1, "at least 0, or -1 for ever"),
    "ttl": (1, "at least 1"),
}
TEXT, YES_OR_NO = (str, "a text"), (bool, "True or False")
OF_A_TASK = {"name": TEXT, "queue": TEXT, "urgent": YES_OR_NO, "isolate": YES_OR_NO}
OF_A_CALL = {
    "queue": TEXT,
    "at_front": YES_OR_NO,
    "description": TEXT,
    "meta": (Mapping, "a dict"),
}


def check_call(options: Mapping[str, Any]) -> None:
    """Raise InvalidCall when an option of a call has a value that cannot be."""
    check_numbers(options, InvalidCall)
    check_kinds(options, OF_A_CALL, InvalidCall)
    if "id" in options:
        queue.checked_id(options["id"])
    if not options.get("queue", queue.DEFAULT):
        raise InvalidCall("queue is a text that is not empty")
    parent_ids(options.get("depends_on", ()))


def check_task(path: str, options: TaskOptions) -> None:
    """Raise InvalidTask when an option of the task ``path`` has a wrong value."""
    told = cast("Mapping[str, Any]", options)
    if options.get("urgent") and options.get("queue"):
        raise InvalidTask(
            f"{path}: urgent=True is the urgent lane, so it excludes queue="
        )
    if options.get("on_crash", "retry") not in ("retry", "fail"):
        raise InvalidTask(f'{path}: on_crash is "retry" or "fail"')
    check_kinds(told, OF_A_TASK, InvalidTask, f"{path}: ")
    check_numbers(told, InvalidTask, f"{path}: ")
    check_backoff(path, options.get("backoff"))


def check_kinds(
    options: Mapping[str, Any],
    kinds: Mapping[str, tuple[Any, str]],
    error: type[Exception],
    whose: str = "",
) -> None:
    """Raise ``error`` when an option is of another kind than it has to be."""
    for option, (kind, said) in kinds.items():
        value = options.get(option)
        if value is not None and not isinstance(value, kind):
            raise error(f"{whose}{option} is {said}, not {value!r}")


def check_numbers(
    options: Mapping[str, Any], error: type[Exception], whose: str = ""
) -> None:
    """Raise ``error`` when a number among the options is none, or too small."""
    for option, (least, low) in LEAST.items():
        value = options.get(option)
        if value is None:
            continue
        whole = option != "timeout"  # Redis and RQ know whole seconds only
        if not is_number(value) or (whole and value != int(value)):
            kind = "whole number" if whole else "number"
            unit = "" if option == "retries" else " of seconds"
            raise error(f"{whose}{option} is a {kind}{unit}, not {value!r}")
        if value < least or (option == "timeout" and -1 < value <= 0):
            raise error(f"{whose}{option}={value} is too small; {low}")


def is_number(value: object) -> TypeGuard[float]:
    """Return whether it is a finite number; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def check_backoff(path: str, backoff: object) -> None:
    """Raise InvalidTask when it is no list of seconds and no function."""
    if backoff is None or callable(backoff):
        return
    listed = (
        cast("list[object]", backoff) if isinstance(backoff, list | tuple) else [""]
    )
    if not all(is_number(seconds) and seconds >= 0 for seconds in listed):
        raise InvalidTask(
            f"{path}: backoff is a list of seconds, or a function of the attempt's "
            f"number, not {backoff!r}"
        )


def parent_ids(parents: object) -> tuple[str, ...]:
    """Return the ids of jobs, of ids, or of one of them.

    Raises:
        InvalidCall: they are neither, or too many.
    """
    several = isinstance(parents, list | tuple | set)
    listed = cast("list[object]", parents) if several else [parents]
    if len(listed) > MOST_PARENTS:
        raise InvalidCall(
            f"depends_on names {len(listed):,} jobs; a job waits for {MOST_PARENTS:,} "
            "at most: have jobs between them wait for some each"
        )
    ids = [one.id if isinstance(one, Job) else one for one in listed]
    if not all(isinstance(one, str) for one in ids):
        raise InvalidCall(
            f"depends_on is a job, an id or a list of them, not {parents!r}"
        )
    return tuple(cast("list[str]", ids))


def error_classes(
    path: str, options: TaskOptions
) -> dict[str, tuple[type[BaseException], ...]]:
    """Return ``retry_on`` and ``give_up_on``, where they are given, as tuples.

    Raises:
        InvalidTask: they name no classes of errors, contradict each other, or have no
            retries to decide on.
    """
    told = cast("Mapping[str, object]", options)
    names = [name for name in ("retry_on", "give_up_on") if name in told]
    found = {name: _classes(f"{path}: {name}", told[name]) for name in names}
    if found and "retries" not in options:
        raise InvalidTask(
            f"{path}: {names[0]} says after which errors a job runs again; "
            "say how often with retries="
        )
    both = set(found.get("retry_on", ())) & set(found.get("give_up_on", ()))
    for one in both:
        raise InvalidTask(
            f"{path}: {one.__name__} is in retry_on and in give_up_on; leave one out"
        )
    return found


def _classes(option: str, value: object) -> tuple[type[BaseException], ...]:
    listed = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    for one in listed:
        if not (isinstance(one, type) and issubclass(one, BaseException)):
            raise InvalidTask(
                f"{option} is a class of errors, or a tuple of them, not {one!r}"
            )
    return cast("tuple[type[BaseException], ...]", listed)
