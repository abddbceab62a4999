"""One client of a session's control socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

LONGEST = 1 << 20  # bytes of a request
BEHIND = 4 << 20  # bytes kept for a client that does not read; then it is cut off


class Connection:
    """A client: its request, and what it has not taken yet of the answer.

    Args:
        peer: the connected socket, non-blocking.
    """

    def __init__(self, peer: socket.socket) -> None:
        """Wait for the request."""
        self._peer = peer
        self._in, self._out = bytearray(), bytearray()
        self._late = bytearray()  # of a stream that begins after the answer
        self._begun = False
        self.closed = False
        self.follows = False  # it gets a byte whenever the log has grown
        self.typed: Callable[[bytes], None] | None = None  # takes what it types

    @property
    def waiting(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._out)

    def read(self) -> list[bytes]:
        """Return the requests that came in."""
        try:
            data = self._peer.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.close()
        elif self.typed:
            self.typed(data)
        else:
            self._in += data
        *lines, rest = bytes(self._in).split(b"\n")
        self._in = bytearray(rest)
        if len(rest) > LONGEST:
            self.close()
        return [] if self.closed else lines

    def send(self, data: bytes) -> None:
        """Write it, now or when the client takes it."""
        if self.closed:
            return
        self._out += data
        self.flush()
        if len(self._out) > BEHIND:
            self.close()  # the session never waits for a client

    def begin(self) -> None:
        """Begin the stream that follows the answer."""
        self._begun = True
        self.send(bytes(self._late))

    def show(self, data: bytes) -> None:
        """Write a part of the stream, after the answer."""
        if self._begun:
            self.send(data)
        else:
            self._late += data

    def leave(self) -> None:
        """End the stream."""
        self.flush()
        self.close()

    def wake(self) -> None:
        """Say that the log has grown, unless that was said and not heard yet."""
        if self.follows and not self._out:
            self.send(b".")

    def flush(self) -> None:
        """Write what is waiting, as far as it is taken."""
        try:
            while self._out and not self.closed:
                del self._out[: self._peer.send(self._out)]
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def close(self) -> None:
        """Close it."""
        if not self.closed:
            self.closed = True
            self._peer.close()
