"""What an RQ shop gives ``on_success`` and ``on_failure``: they note what they hear."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

from flow.store import current


def note(connection: Any, job: Any, words: str) -> None:  # noqa: ANN401 - RQ's
    connection.rpush(f"told:{job.id}", words)
    connection.expire(f"told:{job.id}", 600)


def succeeded(job: Any, connection: Any, result: object) -> None:  # noqa: ANN401
    status = job.get_status(refresh=False).value
    note(connection, job, f"{status}: {job.func_name} returned {result}")


def failed(job: Any, connection: Any, *error: Any) -> None:  # noqa: ANN401
    kind, value, trace = error
    assert trace is None or trace.tb_frame
    status = job.get_status(refresh=False).value
    note(connection, job, f"{status}: {kind.__module__}.{kind.__name__}: {value}")


def stopped(job: Any, connection: Any) -> None:  # noqa: ANN401
    note(connection, job, f"stopped: {job.func_name}")


def saves(job: Any, *_: object) -> None:  # noqa: ANN401
    """Do what RQ's documents have callbacks do with ``meta``."""
    job.meta["seen"] = job.get_status(refresh=False).value
    job.save()


def broken(*_: object) -> None:
    raise RuntimeError("the callback is broken")


def outlasts_its_job(*_: object) -> None:
    threading.Event().wait(2.5)  # longer than a second, and half a one for its end


def endless(*_: object) -> None:
    threading.Event().wait()


async def coroutine(*_: object) -> None: ...


def delete_me() -> None:
    """Delete all jobs, also the one that runs this."""
    command = current.store().link.command
    command("DEL", *command("KEYS", "rq:job:*"))


def handled(job: Any, *error: Any) -> None:  # noqa: ANN401
    """Be an exception handler, which goes on with the next one."""
    failed(job, job.connection, *error)


def enough(job: Any, *_: object) -> bool:  # noqa: ANN401
    """Be the last exception handler."""
    note(job.connection, job, "enough")
    return False


def hang_in_c() -> None:
    """Stay in C code for ever, where no signal ends it."""
    library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(256)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
