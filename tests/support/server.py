"""A real server for tests: the embedded Valkey's binary, or any other by its path."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from flow.store import embedded
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence


def program() -> Path:
    """Return the server that tests run: TEST_SERVER, else the embedded one."""
    return Path(os.environ.get("TEST_SERVER") or embedded.binary())


@functools.cache
def _debug(binary: Path) -> Sequence[str]:
    """Return the words that allow DEBUG; Redis 6.2 has it without, and refuses them."""
    asked = subprocess.run(
        [str(binary), "--version"], capture_output=True, text=True, check=True
    )
    return () if " v=6." in asked.stdout else ("--enable-debug-command", "yes")


class Server:
    """One server process on a unix socket in a folder of its own.

    Args:
        folder: an empty folder with a short path.
        binary: valkey-server or redis-server, if not the tests' own.
        options: further words of its command line, which win.
    """

    def __init__(
        self, folder: Path, binary: Path | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.options = options
        self.binary = binary or program()
        self.socket = folder / "s"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(str(self.binary), "--port", "0", "--unixsocket", str(self.socket)),
                *("--dir", str(self.folder), "--save", "", "--appendonly", "yes"),
                *("--appendfsync", "always", *_debug(self.binary)),
                *self.options,
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self.answers, waiting_for="the server's answer")

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())  # pyright: ignore[reportUnknownMemberType]
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)  # pyright: ignore[reportUnknownMemberType]

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def stop(self) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait()


@contextlib.contextmanager
def running(
    binary: Path | None = None, options: Sequence[str] = ()
) -> Generator[Server]:
    """Give a server that runs until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="flow-test-"))
    server = Server(folder, binary, options)
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
