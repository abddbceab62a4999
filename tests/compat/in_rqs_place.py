"""Puts flow's worker in the place of RQ's: a plugin for pytest, for RQ's own tests.

``make compat`` loads it. It gives RQ's tests a server of their own where they expect
one on port 6379, and notes in which of them a worker of flow's has worked.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
import rq.worker
import rq.worker.worker_classes

from flow.store import embedded
from flow.workers.rq import Worker

REPORT = "FLOW_COMPAT_REPORT"  # names the file for what became of each test
WORKED = "FLOW_COMPAT_WORKED"  # and the one for the tests that had a worker work
EXPECTED = 6379  # where RQ's tests look for a server
REPLACED = ("Worker", "SimpleWorker")
Untyped = Any  # redis-py and RQ are typed in part

outcomes: dict[str, str] = {}
said: dict[str, str] = {}


class InRqsPlace(Worker):
    """flow's worker, which notes the test that has it work."""

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Work as flow's worker does."""
        name = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        # A file: many tests have their worker work in a process of its own.
        with Path(os.environ.get(WORKED, os.devnull)).open("a") as file:
            file.write(f"{name}\n")
        return super().work(*args, **kwargs)


def pytest_configure(config: pytest.Config) -> None:
    """Start a server, and replace RQ's classes before its tests import them."""
    place = tempfile.TemporaryDirectory(prefix="flow-compat-")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            str(embedded.binary()),
            "--port",
            str(port),
            "--dir",
            place.name,
            "--save",
            "",
        ],
        stdout=subprocess.DEVNULL,
    )
    config.add_cleanup(place.cleanup)
    config.add_cleanup(partial(_end, server))
    _redirect(port)
    for name in REPLACED:
        for module in (rq, rq.worker, rq.worker.worker_classes):
            setattr(module, name, InRqsPlace)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()


def _redirect(port: int) -> None:
    """Have clients for port 6379 of this machine find the server of this run."""
    init: Untyped = redis.Connection.__init__

    def connect(self: Untyped, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        if self.port == EXPECTED:
            self.host, self.port = "127.0.0.1", port

    setattr(redis.Connection, "__init__", connect)  # noqa: B010 - typed as a method


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the worst that a test's phases came to."""
    if report.failed or report.nodeid not in outcomes:
        outcomes[report.nodeid] = report.outcome
    if report.failed:
        said[report.nodeid] = report.longreprtext.splitlines()[-1]
    if report.when == "call" and report.skipped:
        outcomes[report.nodeid] = report.outcome


def pytest_unconfigure() -> None:
    """Write down what became of each test, and which had a worker work."""
    for left in multiprocessing.active_children():
        left.kill()  # a worker that a failed test left behind; the end waits for it
    noted = Path(os.environ[WORKED])
    worked = set(noted.read_text().splitlines()) if noted.exists() else set[str]()
    found = {
        name: {"outcome": one, "worked": name in worked, "said": said.get(name, "")}
        for name, one in outcomes.items()
    }
    Path(os.environ[REPORT]).write_text(json.dumps(found, indent=1))
