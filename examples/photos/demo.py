"""What ``make demo`` runs: the whole app, with a handful of pictures put through it.

``--once`` shows who made what, stops everything, and leaves nothing behind.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import socket
import sys
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from photos import samples
from session import STOPPING, Failed, Session
from tour import Tour
from visitor import BadAnswer, Visitor

if TYPE_CHECKING:
    from collections.abc import Generator

HERE = Path(__file__).resolve().parent
FIRST_PORT = 5001
FAILURES = (Failed, BadAnswer, HTTPException, OSError)


def main() -> int:
    """Run the demo; return 0, or 1 with the reason shown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="put pictures through; end")
    parser.add_argument(
        "--port", type=int, help="the next free one from 5001 by default"
    )
    asked = parser.parse_args()
    for number in STOPPING:
        signal.signal(number, signal.default_int_handler)
    try:
        (put_through if asked.once else stay)(asked.port or free_port())
    except KeyboardInterrupt:
        return 130 if asked.once else 0
    except FAILURES as error:
        say(f"photos: the demo failed: {error}")
        return 1
    return 0


def stay(port: int) -> None:
    """Run the app, fill an empty gallery, and stay until somebody stops it."""
    with Session(HERE, port, {}) as session:
        tour = Tour(session, Visitor(port))
        if not tour.first_look()["pictures"]:
            tour.upload(samples.handful())
        say(f"photos is running: http://127.0.0.1:{port} (Ctrl-C stops everything)")
        session.pause()


def put_through(port: int) -> None:
    """Run a copy of the app that starts from nothing, and tell who made what."""
    with copied() as project:
        # The clock's minute is too long to wait for, and says no more than this.
        hurry = {"PHOTOS_TIDY_EVERY": "5"}
        with Session(project, port, hurry) as session:
            try:
                made = Tour(session, Visitor(port)).everything()
            except FAILURES:
                say("the end of the log:")
                say(b"".join(session.log).decode(errors="replace"))
                raise
        say(made)


@contextlib.contextmanager
def copied() -> Generator[Path]:
    """Copy the app into a temporary folder, without its pictures and its jobs."""
    with tempfile.TemporaryDirectory(prefix="photos-") as folder:
        project = Path(folder, "photos")
        leave = shutil.ignore_patterns("media", ".flow", "__pycache__")
        shutil.copytree(HERE, project, ignore=leave)
        yield project


def free_port() -> int:
    """Return the first port from 5001 on that nobody uses."""
    for port in range(FIRST_PORT, FIRST_PORT + 1000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As servers do: a port whose last connections just ended is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise Failed(f"no port from {FIRST_PORT} on is free")


def say(text: str) -> None:
    """Print, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
