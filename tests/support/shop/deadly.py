"""Callbacks that are struck while they run, and what they are given to jobs of."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

from tests.support.hazards import write

NEVER = threading.Event()


def work(folder: str) -> str:
    """Note it, and end well."""
    write(Path(folder) / "ledger", f"work {os.getpid()}")
    return "done"


def fail(folder: str) -> None:
    write(Path(folder) / "ledger", f"fail {os.getpid()}")
    raise ValueError("as it should")


def kills(job: Any, *_: object) -> None:  # noqa: ANN401 - RQ's
    """Note it, and kill the process."""
    write(_folder(job) / "ledger", f"callback {os.getpid()}")
    os.kill(os.getpid(), signal.SIGKILL)


def holds(job: Any, *_: object) -> None:  # noqa: ANN401 - RQ's
    """Note it, then run until there is a gate."""
    write(_folder(job) / "ledger", f"callback {os.getpid()}")
    while not (_folder(job) / "gate").exists():
        NEVER.wait(0.01)


def uses_redis(job: Any, connection: Any, *_: object) -> None:  # noqa: ANN401 - RQ's
    """As ``holds``, and then ask the server."""
    holds(job)
    connection.ping()


def _folder(job: Any) -> Path:  # noqa: ANN401 - RQ's
    return Path(job.args[0])
