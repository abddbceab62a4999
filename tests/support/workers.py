"""Real workers for tests: flow's own and RQ's, as processes of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

ENDS_WITHIN = 120  # seconds until a test gives up on a worker; never measured
TOLD = (
    *("REDIS_URL", "FLOW_APP", "FLOW_GRACE", "FLOW_PROCESSES", "WEB_CONCURRENCY"),
    *("FLOW_MAX_JOBS", "FLOW_MAX_MEMORY"),
)
LOG = "worker.log"


def start_worker(
    url: str,
    *options: str,
    app: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    log: str = LOG,
) -> subprocess.Popen[bytes]:
    """Start ``flow worker`` in ``folder``; what it says goes to ``folder/log``.

    The caller ends it; ``worker`` below does that by itself.

    Args:
        url: the server.
        options: further options of ``flow worker``.
        app: the modules with the tasks, importable from ``folder``.
        folder: where the worker runs.
        environment: further variables.
        log: the file in ``folder`` that its stderr is appended to.

    """
    with (folder / log).open("ab") as stderr:
        return subprocess.Popen(
            _command(url, app, options),
            cwd=folder,
            env=_environment(environment),
            stdin=subprocess.DEVNULL,
            stderr=stderr,
        )


@contextlib.contextmanager
def worker(
    url: str,
    *options: str,
    app: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Generator[subprocess.Popen[bytes]]:
    """Give a ``flow worker`` that runs until the block ends, and is then killed.

    Its own processes are tied to it by the kernel, so nothing is left.
    """
    with start_worker(
        url, *options, app=app, folder=folder, environment=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def burst(
    url: str,
    app: str,
    folder: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``flow worker --burst`` to its end; its words are in ``stderr``."""
    return subprocess.run(
        _command(url, app, ("--burst", "--processes", "1", *options)),
        cwd=folder,
        env=_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
    )


def rq_burst(
    url: str,
    folder: Path,
    *options: str,
    queues: tuple[str, ...] = ("default",),
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a plain ``rq worker --burst`` to its end, as an RQ shop would.

    Args:
        url: the server.
        folder: where the functions can be imported from.
        options: further options, such as ``--worker-class``.
        queues: what it serves.
        environment: further variables.

    """
    program = Path(sys.executable).parent / "rq"
    command = [str(program), "worker", "--burst", "--url", url, "--path", ".", *options]
    return subprocess.run(
        [*command, *queues],
        cwd=folder,
        env=_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
    )


def log(folder: Path, name: str = LOG) -> str:
    """Return what a started worker has said so far."""
    return (folder / name).read_text("utf-8", "replace")


def _command(url: str, app: str, options: tuple[str, ...]) -> list[str]:
    flow = [sys.executable, "-m", "flow", "worker", "--redis-url", url]
    return [*flow, *(["--app", app] if app else []), *options]


def _environment(further: Mapping[str, str] | None) -> dict[str, str]:
    """Return ours without what would tell a worker something else."""
    ours = {name: value for name, value in os.environ.items() if name not in TOLD}
    return {**ours, **(further or {})}
