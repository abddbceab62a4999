"""The example's web process, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextlib.contextmanager
def site(project: Path, media: Path, redis_url: str) -> Generator[httpx.Client]:
    """Start the web process and give a client of it."""
    environ = os.environ | {
        "PHOTOS_MEDIA": str(media),
        "REDIS_URL": redis_url,
        "DYNO": "web.1",
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        web = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "photos.web:app"),
                *("--no-access-log", "--log-level", "warning"),
                *("--fd", str(listener.fileno()), "--timeout-graceful-shutdown", "3"),
            ],
            cwd=project,
            env=environ,
            pass_fds=[listener.fileno()],
        )
        try:
            with httpx.Client(base_url=address, timeout=60) as client:
                wait_until(
                    lambda: web.poll() is not None or answers(client),
                    timeout=60,
                    waiting_for="the page",
                )
                yield client
        finally:
            web.terminate()
            web.wait()


def answers(client: httpx.Client) -> bool:
    """Whether the web process has come up."""
    with contextlib.suppress(httpx.TransportError):
        return client.get("/state", timeout=5).status_code > 0
    return False
