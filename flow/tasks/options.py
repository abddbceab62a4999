"""The options of tasks, of calls and of schedules, as their types are written."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypedDict

from flow.registry import PolicyOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flow.job import Job
    from flow.recurrence.transitions import Dst


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
    retry_on: type[BaseException] | tuple[type[BaseException], ...]
    give_up_on: type[BaseException] | tuple[type[BaseException], ...]
    isolate: bool


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


def no_option(whose: str, name: str, options: type[Any]) -> str:
    """Return the sentence for an option that does not exist."""
    known = sorted(options.__annotations__)
    near = difflib.get_close_matches(name, known, 2)
    hint = (
        f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    )
    return f"{whose} has no option {name!r}; {hint}"
