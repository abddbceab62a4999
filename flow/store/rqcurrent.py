"""RQ's ``get_current_job`` in flow's workers: fetched when a job asks for it."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from flow.store import current

if TYPE_CHECKING:
    from collections.abc import Callable

Handle = Any  # RQ is typed in part

_asked: ContextVar[tuple[str, Handle]] = ContextVar("flow_rq_job", default=("", None))


class Current:
    """Stands in the place of RQ's own variable, which RQ's worker sets for each job.

    Args:
        own: that variable; RQ sets it where a queue runs its jobs at once.
        running: the job and the execution that run here, or None.
    """

    def __init__(
        self, own: Handle, running: Callable[[], tuple[str, str] | None]
    ) -> None:
        """Fetch nothing yet."""
        self._own = own
        self._running = running
        self.set = own.set
        self.reset = own.reset

    def get(self) -> Handle:
        """Return RQ's ``Job`` of what runs here, always the same; None outside."""
        job, running = self._own.get(), self._running()
        if job is not None or running is None:
            return job
        job_id, execution = running
        before, job = _asked.get()
        if before != execution:
            from flow.store import rq  # noqa: PLC0415 - needs rq, which is there by now

            job = rq.read(current.store(), job_id)
            _asked.set((execution, job))
        return job


def serve(running: Callable[[], tuple[str, str] | None]) -> None:
    """Have ``get_current_job`` answer, if this process has loaded RQ's jobs."""
    module: Any = sys.modules.get("rq.job")
    own = getattr(module, "_current_job", None)
    if own is not None and not isinstance(own, Current):
        module._current_job = Current(own, running)  # noqa: SLF001 - RQ has no other way
