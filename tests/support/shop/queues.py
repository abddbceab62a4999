"""Queue classes of an RQ shop, for ``--queue-class``."""

from __future__ import annotations

from typing import Any

from rq import Queue


class Enqueueing(Queue):
    """As django-rq's: it changes how an app enqueues."""

    def enqueue_call(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - RQ's
        """Enqueue, after some thought."""
        return super().enqueue_call(*args, **kwargs)


class Elsewhere(Queue):
    """A class whose queues have other keys."""

    redis_queue_namespace_prefix = "elsewhere:"
