"""Which queues a worker serves, and in which order; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.queue import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.config import Project
    from flow.registry import Registry


def queues(
    project: Project,
    tasks: Registry,
    *,
    urgent: bool = False,
    chosen: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return the queues of a worker, the first to be served first.

    Args:
        project: names the urgent lane, and further queues.
        tasks: the app's declarations, which name theirs.
        urgent: serve the urgent lane and nothing else.
        chosen: serve just these, in this order.
    """
    if urgent:
        return (project.urgent,)
    if chosen:
        return tuple(dict.fromkeys(chosen))
    declared = (project.urgent, *tasks.queues(), DEFAULT, *project.queues)
    return tuple(dict.fromkeys(declared))
