"""A master, its replica and their sentinels: real processes, each on its own port."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from tests.support.server import program
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

MASTER = "mymaster"
LONG = 60.0  # seconds a fail-over may take at most; never measured


class Node:
    """One server or sentinel.

    Args:
        folder: where it keeps its files.
        options: further words of its command line.
        config: what its configuration file says; a sentinel rewrites it.
        password: its own.

    """

    def __init__(
        self, folder: Path, *options: str, config: str = "", password: str = ""
    ) -> None:
        self.port = free_port()
        self._password = password
        self._folder = folder / str(self.port)
        self._folder.mkdir()
        self._file = self._folder / "conf"
        self._file.write_text(f"port {self.port}\nbind 127.0.0.1\n{config}")
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(program()), str(self._file), *self._options],
                cwd=self._folder,
                stdout=log,
            )
        wait_until(self._answers, waiting_for=f"the server on port {self.port}")

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=self._password or None)

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False


class Watched:
    """Two servers, the first the master, and sentinels that watch them.

    Args:
        folder: where they keep their files.
        sentinels: how many.
        password: the sentinels' own.

    """

    def __init__(self, folder: Path, sentinels: int = 1, password: str = "") -> None:
        keep = ("--save", "", "--appendonly", "yes", "--repl-diskless-sync-delay", "0")
        self.first = Node(folder, *keep)
        follow = ("--replicaof", "127.0.0.1", str(self.first.port))
        self.second = Node(folder, *keep, *follow)
        watch = f"sentinel monitor {MASTER} 127.0.0.1 {self.first.port} {sentinels}\n"
        watch += f"sentinel down-after-milliseconds {MASTER} 700\n"
        watch += f"sentinel failover-timeout {MASTER} 3000\n"
        if password:
            watch += f"requirepass {password}\n"
        self.sentinels = [
            Node(folder, "--sentinel", config=watch, password=password)
            for _ in range(sentinels)
        ]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://{hosts}/{MASTER}/0"

    @property
    def nodes(self) -> Sequence[Node]:
        return [self.first, self.second, *self.sentinels]

    def start(self) -> None:
        for node in (self.first, self.second):
            node.start()
        wait_until(self.in_step, timeout=LONG, waiting_for="the replica")
        for node in self.sentinels:
            node.start()
        wait_until(self._ready, timeout=LONG, waiting_for="sentinels that know all")

    def in_step(self) -> bool:
        """Return whether the replica has all that the master has."""
        with self.first.client() as master, self.second.client() as replica:
            led, followed = master.info("replication"), replica.info("replication")
        linked = followed["master_link_status"] == "up"
        behind = led["master_repl_offset"] != followed["slave_repl_offset"]
        return linked and not behind

    def replicates(self, node: Node) -> bool:
        """Return whether a server is a replica in touch with its master."""
        with contextlib.suppress(redis.RedisError), node.client() as client:
            info = client.info("replication")
            return bool(info.get("master_link_status") == "up")
        return False

    def leads(self, node: Node) -> bool:
        """Return whether a server is a master by its own account."""
        with contextlib.suppress(redis.RedisError), node.client() as client:
            return bool(client.info("replication")["role"] == "master")
        return False

    def _ready(self) -> bool:
        return all(self._knows(one) for one in self.sentinels)

    def _knows(self, sentinel: Node) -> bool:
        with sentinel.client() as client:
            state: Any = client.sentinel_master(MASTER)
            others = len(self.sentinels) - 1
            found: bool = (
                state["num-slaves"] == 1 and state["num-other-sentinels"] == others
            )
            return found and not state["is_sdown"]


@contextlib.contextmanager
def watched(sentinels: int = 1, password: str = "") -> Generator[Watched]:
    """Give a master, a replica and sentinels that run until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="flow-test-"))
    all_ = Watched(folder, sentinels, password)
    try:
        all_.start()
        yield all_
    finally:
        for node in all_.nodes:
            node.kill()
        shutil.rmtree(folder)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
