"""Wires: the connections of one link, each used by one thread at a time.

redis-py connects, authenticates and parses; its pool and its command layer cost more
than a small call itself (docs/decisions/0040), so a call takes a connection from here.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import hiredis
from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis


class Wires:
    """Connections to one server, as many as threads ever called at once.

    Args:
        client: redis-py's client; it knows how to connect, and what replies mean.
    """

    def __init__(self, client: redis.Redis) -> None:
        """Prepare; nothing is connected yet."""
        anything: Any = client  # redis-py leaves its replies untyped
        packer: Any = hiredis  # and hiredis its functions
        self._pool = anything.connection_pool
        self._callbacks = anything.response_callbacks
        self._pack: Callable[[tuple[Any, ...]], bytes] = packer.pack_command
        self._idle: list[Any] = []
        self._pid = os.getpid()
        self.made = 0

    def call(self, words: tuple[Any, ...]) -> Any:  # noqa: ANN401 - Redis answers anything
        """Send one command and return its reply as it came.

        Raises:
            redis.RedisError: it did not get through, or the server refused it.
        """
        if self._pid != os.getpid():
            self._forget()  # a forked process must not talk on its parent's wires
        packed = self._pack(words)
        try:
            wire = self._idle.pop()
        except IndexError:
            wire = self._dial()
        try:
            wire.send_packed_command((packed,))
            reply = wire.read_response()
        except ResponseError:
            self._idle.append(wire)
            raise
        except BaseException:
            wire.disconnect()
            # What broke one has broken the others.
            self.close()
            raise
        self._idle.append(wire)
        return reply

    def command(self, *words: Any) -> Any:  # noqa: ANN401
        """Send one command and return its reply as redis-py understands it.

        Raises:
            redis.RedisError: it did not get through, or the server refused it.
        """
        reply = self.call((*words[0].split(), *words[1:]))
        understand = self._callbacks.get(words[0])
        return reply if understand is None else understand(reply)

    def close(self) -> None:
        """Disconnect those that nobody uses now."""
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().disconnect()

    def _dial(self) -> Any:  # noqa: ANN401 - redis-py leaves it untyped
        wire = self._pool.connection_class(**self._pool.connection_kwargs)
        # Not left to its first command: that would not ask a sentinel for the master.
        wire.connect()
        self.made += 1
        return wire

    def _forget(self) -> None:
        self._pid, self._idle, self.made = os.getpid(), [], 0
