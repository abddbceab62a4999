"""Real clocks for tests: ``flow clock`` processes, and what they did."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from flow.store.address import Address
from flow.store.client import Store
from flow.store.schedules import Schedules
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    import redis

    from flow.store.schedules import Note

TOLD = ("REDIS_URL", "FLOW_APP", "FLOW_GRACE", "HEROKU_RELEASE_VERSION")
BEAT = """\
from flow import every, task


@every(1)
@task
def beat() -> None: ...
"""


class Site:
    """An app in a folder of its own, and the clocks that run there.

    Args:
        folder: an empty folder.
        url: the server.
        source: the app's module.
        name: the module's name, which is the app's too.

    """

    def __init__(
        self, folder: Path, url: str, source: str = BEAT, name: str = "beats"
    ) -> None:
        self.folder = folder
        self.url = url
        self.name = name
        self._running: list[Clock] = []
        folder.mkdir(exist_ok=True)
        (folder / "pyproject.toml").write_text(f'[tool.flow]\napp = "{name}"\n')
        self.write(source)

    def write(self, source: str) -> None:
        """Make this the app's module; clocks that run keep the old one."""
        (self.folder / f"{self.name}.py").write_text(source)

    def clock(
        self, *options: str, environment: Mapping[str, str] | None = None
    ) -> Clock:
        """Start one more clock, and wait until it is up."""
        clock = self.start(*options, environment=environment)
        wait_until(
            lambda: clock.said("clock is up") or clock.ended,
            timeout=60,
            waiting_for="the clock to be up",
        )
        return clock

    def start(
        self, *options: str, environment: Mapping[str, str] | None = None
    ) -> Clock:
        """Start one more clock."""
        log = self.folder / f"clock-{len(self._running)}.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                self._command(*options),
                cwd=self.folder,
                env=self._environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        clock = Clock(process, log)
        self._running.append(clock)
        return clock

    def clocks(self, count: int) -> list[Clock]:
        """Start so many clocks."""
        return [self.clock() for _ in range(count)]

    def run(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        within: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``flow clock`` with options that make it end."""
        return subprocess.run(
            self._command(*options),
            cwd=self.folder,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def end(self) -> None:
        """End every clock that still runs."""
        for clock in self._running:
            clock.kill()

    def leader(self, client: redis.Redis) -> Clock | None:
        """Return the clock that leads, if it is one of these and still runs."""
        raw: Any = client
        token: bytes | None = raw.get(f"flow:clock:{self.name}:leader")
        words = (token or b"").decode()
        for clock in self._running:
            if words.endswith(f".{clock.pid}") and not clock.ended:
                return clock
        return None

    def stands_by(self, leader: Clock) -> bool:
        """Return whether another clock of these is up, and could take over."""
        others = [one for one in self._running if one is not leader and not one.ended]
        return any(one.said("clock is up") for one in others)

    def wait_for_leader(self, client: redis.Redis) -> Clock:
        """Return the clock that leads, as soon as one does."""
        found = wait_until(
            lambda: self.leader(client), timeout=60, waiting_for="a clock to lead"
        )
        assert found
        return found

    def ledger(self) -> list[Note]:
        """Return the ledger's entries, the oldest first."""
        with store_of(self.url) as store:
            return Schedules(store.link, self.name).history(None, 1_000_000)[::-1]

    def schedules(self, client: redis.Redis) -> set[str]:
        """Return the ids of the schedules that have a next tick."""
        raw: Any = client
        ids = raw.zrange(f"flow:clock:{self.name}:next", 0, -1)
        return {one.decode() for one in ids}

    def _command(self, *options: str) -> list[str]:
        words = [*options, "--redis-url", self.url]
        return [sys.executable, "-m", "flow", "clock", *words]

    def _environment(self, further: Mapping[str, str] | None) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if name not in TOLD}
        return {**ours, "PYTHONPATH": "", **(further or {})}


class Clock:
    """One ``flow clock`` process and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def words(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def said(self, text: str) -> bool:
        return text in self.words

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def stop(self) -> int:
        """Have it end by SIGTERM; return its exit code."""
        self.send(signal.SIGTERM)
        return self._process.wait(60)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait(60)


def queued(client: redis.Redis, queue: str = "default") -> list[str]:
    """Return the ids that wait in a queue, the next one first."""
    raw: Any = client
    return [one.decode() for one in raw.lrange(f"rq:queue:{queue}", 0, -1)]


def ticks(client: redis.Redis, schedule: str = "beats-beat") -> list[int]:
    """Return the ticks of a schedule whose jobs wait, in ms since 1970."""
    own = [one for one in queued(client) if one.rpartition("-")[0] == schedule]
    return [int(one.rpartition("-")[2]) for one in own]


def none_is_missing(found: list[int], step: int = 1000) -> None:
    """Fail unless the ticks are each multiple of the step from the first to the last.

    A doubled tick, a missed one and one that is no tick all show here.
    """
    assert found == list(range(found[0], found[-1] + 1, step))
    assert found[0] % step == 0


@contextlib.contextmanager
def store_of(url: str) -> Generator[Store, None, None]:
    """Give a store that is closed when the block ends."""
    store = Store(Address(url, "the test"))
    try:
        yield store
    finally:
        store.link.close()
