"""A unix-socket proxy: loses the server's replies, holds what passes, sends it late."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

CHUNK = 1 << 20  # bytes


@dataclass(eq=False, slots=True)
class Pair:
    """A client's connection and the one to the server that belongs to it."""

    client: socket.socket
    server: socket.socket
    request: bytes = b""
    answered: bytes = b""  # the request before
    cut: bool = False

    def close(self) -> None:
        self.client.close()
        self.server.close()


@dataclass(frozen=True, slots=True)
class Held:
    """What does not go on for now, and where to."""

    pair: Pair
    target: socket.socket
    data: bytes


class Proxy:
    """Stands between a store and its server.

    Args:
        server: the socket of the server.
        path: where the proxy listens.

    """

    def __init__(self, server: Path, path: Path) -> None:
        self.url = f"unix://{path}"
        self.lost = 0  # replies so far
        self.requests: list[bytes] = []  # those whose reply was lost
        self._server = server
        self._sha = b""
        self._cuts = 0
        self._wanted: tuple[bytes, bool] | None = None
        self._held: Held | None = None
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._end, self._ender = os.pipe()
        self._selector.register(self._end, selectors.EVENT_READ)
        self._pairs: dict[socket.socket, Pair] = {}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def lose(self, script: str, times: int = 1) -> None:
        """Cut the connection after that script ran and before its reply, so often."""
        self._sha = load(script).sha.encode()
        self._cuts = times

    def hold(self, word: str, *, reply: bool = False) -> None:
        """Hold the next turn's request with that word in it, or its reply.

        The reply is also held where it has the word itself.
        """
        self._sha = load("exchange").sha.encode()
        self._wanted = word.encode(), reply

    @property
    def holds(self) -> bool:
        """Whether it holds something now."""
        return self._held is not None

    def let_go(self) -> None:
        """Pass on what was held; a request also when its sender has gone meanwhile."""
        held, self._held = self._held, None
        if held is None:
            return
        with contextlib.suppress(OSError):
            held.target.sendall(held.data)
            return
        if held.target is held.pair.server:
            self._late(held.data)

    def again(self, index: int = -1) -> bytes:
        """Send a request whose reply was lost once more, and return how it is answered.

        So does a network that held it up while its sender tried another way.
        """
        return self._late(self.requests[index])

    def _late(self, request: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as late:
            late.connect(str(self._server))
            late.sendall(request)
            return late.recv(CHUNK)

    def close(self) -> None:
        os.write(self._ender, b".")
        self._thread.join()
        for pair in set(self._pairs.values()):
            pair.close()
        self._listener.close()
        self._selector.close()
        os.close(self._end)
        os.close(self._ender)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == self._end:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._forward(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._server))
        pair = Pair(client, server)
        for one in (client, server):
            self._pairs[one] = pair
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, source: socket.socket) -> None:
        pair = self._pairs.get(source)
        if pair is None:
            return  # closed by an earlier event of the same turn
        try:
            data = source.recv(CHUNK)
        except ConnectionError:
            data = b""
        if not data or self._loses(pair, source, data):
            self._drop(pair)
            return
        target = pair.server if source is pair.client else pair.client
        if self._holds(pair, target, data):
            return
        with contextlib.suppress(
            OSError
        ):  # the other side has gone; its end comes next
            target.sendall(data)

    def _loses(self, pair: Pair, source: socket.socket, data: bytes) -> bool:
        if source is pair.client:
            pair.request += data
            pair.cut = self._cuts > 0 and self._sha in pair.request
            return False
        request = pair.answered = pair.request
        pair.request = b""
        if not pair.cut or data.startswith(b"-NOSCRIPT"):
            return False
        self._cuts -= 1
        self.lost += 1
        self.requests.append(request)
        return True

    def _holds(self, pair: Pair, target: socket.socket, data: bytes) -> bool:
        if self._wanted is None or (target is pair.client) != self._wanted[1]:
            return False
        asked = pair.answered if self._wanted[1] else pair.request
        if self._sha not in asked or self._wanted[0] not in asked + data:
            return False
        self._wanted = None
        self._held = Held(pair, target, data)
        return True

    def _drop(self, pair: Pair) -> None:
        for one in (pair.client, pair.server):
            del self._pairs[one]
            self._selector.unregister(one)
        pair.close()


@contextlib.contextmanager
def proxied(server: Path, path: Path) -> Generator[Proxy]:
    """Give a proxy that runs until the block ends."""
    proxy = Proxy(server, path)
    try:
        yield proxy
    finally:
        proxy.close()
