"""The stand on which everything is measured: one embedded server, fresh and alone."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import redis

from flow.store import embedded

if TYPE_CHECKING:
    from collections.abc import Generator

START_WITHIN = 60.0  # seconds the server may take on a machine that is busy


@dataclass(frozen=True, slots=True)
class Load:
    """What the server has done since it started.

    Args:
        cpu: seconds of processor time.
        commands: those that were run, inside scripts too.
        trips: how often it read from a client: round trips, for small requests.
    """

    cpu: float
    commands: float
    trips: float


class Stand:
    """A server, a folder for logs, and a client that looks at the server.

    Args:
        url: the server.
        folder: where contenders run; empty at first.
    """

    def __init__(self, url: str, folder: Path) -> None:
        """Connect a client."""
        self.url = url
        self.folder = folder
        connect: Any = redis.Redis
        self.client: Any = connect.from_url(url)  # redis-py leaves its replies untyped

    def info(self) -> dict[str, Any]:
        """Return all that the server tells of itself."""
        return cast("dict[str, Any]", self.client.info())

    def load(self) -> Load:
        """Return what the server has done so far."""
        told = self.info()
        # By getrusage, to the microsecond; /proc/<pid>/stat counts in hundredths.
        cpu = told["used_cpu_user"] + told["used_cpu_sys"]
        commands = told["total_commands_processed"]
        return Load(cpu, commands, told["total_reads_processed"])

    def memory(self) -> int:
        """Return the bytes that the data takes, without buffers."""
        told = self.info()
        passing = told["mem_clients_normal"] + told["mem_aof_buffer"]
        return int(told["used_memory"] - passing - told["used_memory_scripts"])

    def empty(self) -> None:
        """Remove all data, and wait until it is gone."""
        self.client.flushall(asynchronous=False)


@contextlib.contextmanager
def fresh(append_only: str) -> Generator[Stand]:
    """Give a stand with flow's own embedded server, gone when the block ends.

    Args:
        append_only: ``everysec`` as the embedded server has it, or ``off``.
    """
    with contextlib.ExitStack() as left:
        made = left.enter_context(tempfile.TemporaryDirectory(prefix="flow-bench-"))
        folder = Path(made)
        # Without a project here, one in a folder above would be theirs.
        (folder / "pyproject.toml").write_text("[tool.flow]\n")
        server = embedded.start(folder / ".flow", timeout=START_WITHIN)
        left.callback(server.wait)
        left.callback(server.close)
        stand = Stand(server.url, folder)
        left.callback(stand.client.close)
        # The process that rewrites the file would take a CPU from whoever runs then.
        stand.client.config_set("auto-aof-rewrite-percentage", 0)
        if append_only == "off":
            stand.client.config_set("appendonly", "no")
        yield stand
