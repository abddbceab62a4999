"""Queue: where jobs wait."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from flow import keys
from flow.errors import InvalidCall
from flow.job import Job
from flow.record import Batch, Invocation, JobRecord
from flow.store import current

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store

ID = re.compile(r"[A-Za-z0-9_-]+")
PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
DEFAULT = "default"


class Queue:
    """A queue of this Redis, by its name.

    Args:
        name: RQ's name for it, without ``rq:queue:``.
        store: where it is kept; by default the store of this process.
    """

    def __init__(self, name: str = DEFAULT, store: Store | None = None) -> None:
        """Make a handle; nothing is asked of the server yet."""
        self.name = name
        self._store = store

    def enqueue(
        self,
        function: str | Callable[..., Any],
        *args: Any,  # noqa: ANN401 - whatever the function takes
        **kwargs: Any,  # noqa: ANN401 - likewise
    ) -> Job[Any]:
        """Enqueue a call of a function with RQ's defaults, as RQ's queues do.

        Args:
            function: its import path, or itself; ``task.enqueue`` also knows the
                task's options.
            args: as the function takes them.
            kwargs: as the function takes them.

        Raises:
            InvalidCall: no worker could import it.
        """
        invocation = Invocation(path_of(function), args, kwargs)
        record = JobRecord(new_id(), invocation, self.name)
        return add(Batch.of(record), self._store)[0]

    def __len__(self) -> int:
        """Return how many jobs wait in it."""
        store = self._store or current.store()
        return int(store.link.command("LLEN", keys.queue(self.name)))

    def __repr__(self) -> str:
        """Return the class and the name."""
        return f"Queue({self.name!r})"


def path_of(function: str | Callable[..., Any]) -> str:
    """Return the import path of a function, given as that or as itself.

    Raises:
        InvalidCall: no worker could import it.
    """
    if isinstance(function, str):
        path = function
    else:
        module = getattr(function, "__module__", None)
        path = f"{module}.{getattr(function, '__qualname__', repr(function))}"
    if not PATH.fullmatch(path) or path.startswith("__main__."):
        raise InvalidCall(
            f"{path!r} is no import path of a function that a worker could import, "
            "such as shop.mail.send"
        )
    return path


def add(batch: Batch, store: Store | None = None) -> list[Job[Any]]:
    """Enqueue jobs and return their handles in order; all or none, if one is wrong.

    Raises:
        InvalidCall: an argument cannot be stored, or a parent does not exist.
    """
    (store or current.store()).enqueue_batches([batch])
    return [Job(job_id, store) for job_id, _ in batch.calls]


def new_id() -> str:
    """Return an id that no other job has, in the form of RQ's: a random UUID."""
    drawn = os.urandom(16).hex()
    # The version, 4, and the variant, 8 to b; the uuid module takes thrice the time.
    variant = "89ab"[int(drawn[16], 16) & 3]
    return "-".join(
        (drawn[:8], drawn[8:12], "4" + drawn[13:16], variant + drawn[17:20], drawn[20:])
    )


def checked_id(job_id: str) -> str:
    """Return ``job_id`` if RQ can read it.

    Raises:
        InvalidCall: it has other signs than letters, digits, ``_`` and ``-``.
    """
    if not isinstance(job_id, str) or not ID.fullmatch(job_id):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidCall(
            f"{job_id!r} is no job id; use letters, digits, '_' and '-' only"
        )
    return job_id
