"""What befalls a run: each fault by its name, done to somebody whom chance picks."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections import Counter
from typing import TYPE_CHECKING

import psutil
import redis

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.support.ordeal.fleet import Fleet, Member
    from tests.support.server import Server

PAUSE = threading.Event()


class Faults:
    """Does one fault at a time.

    Args:
        fleet: whom.
        server: the server, which is struck too.
        chance: seeded, so that a run can be had again, nearly.

    """

    def __init__(self, fleet: Fleet, server: Server, chance: random.Random) -> None:
        """Do nothing yet."""
        self.counts: Counter[str] = Counter()
        self._fleet = fleet
        self._server = server
        self._chance = chance
        self._kinds: dict[str, tuple[int, Callable[[], None]]] = {
            "kill -9 of a process": (6, self._kill_child),
            "SIGTERM to a process": (2, self._term_child),
            "kill -9 of a worker": (1, self._kill_worker),
            "SIGTERM to a worker": (2, self._stop_worker),
            "a worker stands still": (2, self._freeze),
            "a process stands still": (2, self._freeze_child),
            "kill -9 of the server": (2, self._kill_server),
            "restart of the server": (1, self._restart_server),
            "CLIENT KILL": (6, self._cut),
            "OOM": (1, lambda: self._refuse("maxmemory", "1")),
            "NOREPLICAS": (1, lambda: self._refuse("min-replicas-to-write", "1")),
            "kill -9 of a producer": (2, self._kill_producer),
            "kill -9 of the clock": (1, self._kill_clock),
        }

    def strike(self) -> None:
        """Do one fault; whom it hits may just have gone by itself."""
        names = list(self._kinds)
        weights = [weight for weight, _ in self._kinds.values()]
        (name,) = self._chance.choices(names, weights)
        with contextlib.suppress(psutil.Error, ProcessLookupError, IndexError):
            self._kinds[name][1]()
            self.counts[name] += 1

    def pause(self, most: float) -> None:
        """Let work go on between two faults; nothing is judged by it."""
        PAUSE.wait(self._chance.uniform(0, most))

    def _worker(self) -> Member:
        return self._chance.choice(self._fleet.workers)

    def _child(self) -> int:
        return self._chance.choice(self._worker().children)

    def _kill_child(self) -> None:
        child = self._child()
        self._fleet.note_kills([child])
        os.kill(child, signal.SIGKILL)

    def _term_child(self) -> None:
        os.kill(self._child(), signal.SIGTERM)

    def _kill_worker(self) -> None:
        self._worker().kill()

    def _stop_worker(self) -> None:
        member = self._worker()
        member.send(signal.SIGTERM)
        member.process.wait(60)

    def _freeze(self) -> None:
        member = self._worker()
        self._still([member.process.pid, *member.children])

    def _freeze_child(self) -> None:
        self._still([self._child()])

    def _still(self, pids: list[int]) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        self.pause(3)  # far less than a lease
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _kill_server(self) -> None:
        self._server.kill()
        self.pause(1)
        self._server.start()

    def _restart_server(self) -> None:
        self._server.stop()
        self._server.start()

    def _cut(self) -> None:
        with self._server.client() as client, contextlib.suppress(redis.RedisError):
            client.execute_command("CLIENT", "KILL", "TYPE", "normal")

    def _refuse(self, setting: str, value: str) -> None:
        """Have the server refuse all writes for a while."""
        with self._server.client() as client:
            client.config_set(setting, value)
            self.pause(1)
            client.config_set(setting, "0")

    def _kill_producer(self) -> None:
        self._chance.choice(self._fleet.producers).kill()

    def _kill_clock(self) -> None:
        self._fleet.clock.kill()
