"""Doorbell: hears at once when anybody pushes to a queue or schedules a job.

One connection per role with CLIENT TRACKING in broadcast mode: the server tells it
which keys changed, whoever changed them, RQ's own clients too. A bell may be lost with
its connection, so nobody relies on it alone. It also hears the commands to a worker.
"""

from __future__ import annotations

import random
import time
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError, ResponseError

from flow import keys
from flow.store.link import settings
from flow.store.pools import pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.address import Address

SCHEDULED = keys.registry("scheduled", "")
ANSWER = 3.0  # seconds: who waits here has processes and signals to mind
SILENCE = 10.0  # seconds after which the server is asked whether it is still there
SHORTEST, LONGEST = 0.5, 5.0  # seconds between two tries to connect


class Doorbell:
    """A connection that becomes readable when a queue or a schedule changes.

    Args:
        address: the server.
        prefixes: what the keys to hear of begin with.
        channel: where commands are published, if anybody is to hear them.
        monotonic: measures silence, and pauses between two tries.
    """

    def __init__(
        self,
        address: Address,
        prefixes: tuple[str, ...],
        channel: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; ``connect`` connects."""
        self._pool: Any = pool(
            address, protocol=3, **settings(ANSWER), **_without_maintenance()
        )
        # The server refuses a prefix that another one covers.
        self._prefixes = tuple(
            one
            for one in dict.fromkeys(prefixes)
            if not any(one != other and one.startswith(other) for other in prefixes)
        )
        self._connection: Any = None
        self._heard: set[str] = set()
        self._channel = channel
        self._messages: list[bytes] = []
        self._monotonic = monotonic
        self._due = self._pause = 0.0
        self._last_word, self._asked = 0.0, False

    def connect(self) -> int | None:
        """Listen, and return the descriptor to wait on.

        Returns:
            None when the server is away, or has no CLIENT TRACKING; or when it is too
            early to try again.
        """
        if self._monotonic() < self._due:
            return None
        self._pause = min(LONGEST, max(SHORTEST, 2 * self._pause))
        self._due = self._monotonic() + self._pause * random.uniform(0.5, 1)  # noqa: S311 - so that a fleet does not return as one
        connection: Any = self._pool.make_connection()
        words = [word for prefix in self._prefixes for word in ("PREFIX", prefix)]
        try:
            connection.connect()
            connection.send_command("CLIENT", "TRACKING", "ON", "BCAST", *words)
            connection.read_response()
            # redis-py hands these functions what it reads of keys and of channels.
            connection._parser.set_invalidation_push_handler(self._hear)  # noqa: SLF001 - there is no public way
            connection._parser.set_pubsub_push_handler(self._take)  # noqa: SLF001 - likewise
            if self._channel:
                _subscribe(connection, self._channel)
        except RedisError:
            connection.disconnect()
            return None
        self._connection = connection
        self._due = self._pause = 0.0
        self._hear_word()
        return self.fileno()

    def probe(self) -> None:
        """Have the descriptor become readable if the server is silently gone.

        A host that was cut off closes no connection, and to hear nothing is no proof.
        """
        silence = self._monotonic() - self._last_word
        if silence < SILENCE * (1 + self._asked):
            return
        try:
            if self._asked:
                self._connection._sock.shutdown(SHUT_RDWR)  # noqa: SLF001 - rung() finds it gone
            else:
                self._asked = True
                self._connection.send_command("PING")
        except (RedisError, OSError):
            self._asked = True  # broken already, and readable

    def rung(self) -> set[str] | None:
        """Return the prefixes of what changed; None when the connection is gone."""
        try:
            while self._connection.can_read(0):
                self._connection.read_response(push_request=True)
                self._hear_word()
        except (RedisError, OSError):
            self.close()
            return None
        heard, self._heard = self._heard, set()
        return heard

    def messages(self) -> list[bytes]:
        """Return what was published since the last time."""
        messages, self._messages = self._messages, []
        return messages

    @property
    def connected(self) -> bool:
        """Whether it listens."""
        return self._connection is not None

    def fileno(self) -> int:
        """Return the descriptor to wait on; -1 when it does not listen."""
        if self._connection is None:
            return -1
        socket = self._connection._sock  # noqa: SLF001 - to wait on it with others
        return int(socket.fileno())

    def forget(self) -> None:
        """Drop the connection after a fork, and leave the parent's alone."""
        if self._connection is not None:
            # Close our copy of the descriptor only: disconnect() would shut it down.
            self._connection._sock.close()  # noqa: SLF001 - there is no public way
            self._connection._sock = None  # noqa: SLF001 - likewise
            self._connection = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def _hear_word(self) -> None:
        self._last_word, self._asked = self._monotonic(), False

    def _take(self, message: Any) -> None:  # noqa: ANN401 - as redis-py gives it
        if message[0] == b"message":
            self._messages.append(message[2])

    def _hear(self, message: Any) -> None:  # noqa: ANN401 - as redis-py gives it
        names = message[1]
        for prefix in self._prefixes:
            # As bytes: names are others' too, and need be no text. None is FLUSHALL.
            start = prefix.encode()
            if names is None or any(name.startswith(start) for name in names):
                self._heard.add(prefix)


def _without_maintenance() -> dict[str, Any]:
    """Return what keeps redis-py from asking for notices of maintenance.

    Its versions 7 to 8.0 do so over RESP3, and fail where that is a unix socket.
    """
    try:
        from redis.maint_notifications import (  # noqa: PLC0415 - younger than 6.4
            MaintNotificationsConfig,
        )
    except ImportError:
        return {}
    return {"maint_notifications_config": MaintNotificationsConfig(enabled=False)}


def _subscribe(connection: Any, channel: str) -> None:  # noqa: ANN401 - redis-py's own
    # The subscription is told by a push; PING's answer says that it was allowed.
    connection.send_command("SUBSCRIBE", channel)
    connection.send_command("PING")
    try:
        connection.read_response()
    except ResponseError:
        # This user may not: the worker hears its bells, and no commands.
        connection.read_response()
