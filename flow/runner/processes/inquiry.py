"""One attempt to connect to a process's port, and to get an answer there."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
from typing import TYPE_CHECKING

from flow.runner.processes import peers
from flow.runner.watcher import READ, WRITE, Wanted

if TYPE_CHECKING:
    from flow.runner.watcher import Owner

HOST = "127.0.0.1"
WELL = re.compile(rb"HTTP/1\.[01] [23]\d\d\b")
STATUS = 16  # bytes that tell


class Inquiry:
    """A connection that nobody waits for.

    Args:
        port: where to.
        path: what to ask for by HTTP; empty: to be connected is enough.
        only: the pid of the process that must be the one that answers; 0: any.
    """

    def __init__(self, port: int, path: str, only: int = 0) -> None:
        """Begin to connect."""
        self._path, self._answer = path, b""
        self._port, self._only = port, only
        self.misled = False  # somebody else has accepted it
        self.unclaimed = False  # nobody has accepted it yet, as far as we know
        self._asked = False
        self.open, self.good = True, False
        self._socket = socket.socket()
        self._socket.setblocking(False)  # noqa: FBT003 - the socket's own signature
        code = self._socket.connect_ex((HOST, port))
        if code not in (0, errno.EINPROGRESS):
            self.close()

    def wanted(self) -> dict[int, Wanted]:
        """Return what to wait for."""
        if not self.open:
            return {}
        owner: Owner = self
        events = READ if self._asked else WRITE
        return {self._socket.fileno(): Wanted(events, owner, self)}

    def attend(self, descriptor: int) -> None:
        """Go on: connected, or answered."""
        if not self.open or descriptor != self._socket.fileno():
            return
        try:
            if self._asked:
                self._read()
            else:
                self._ask()
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def look(self) -> None:
        """Go on with the request, if the right one has taken it; else hang up."""
        if not (self.open and self.unclaimed):
            return
        inode = peers.accepted(self._port, self._socket.getsockname()[1])
        if not inode:
            return
        self.unclaimed = False
        if not peers.holds(self._only, inode):
            self.misled = True
            self.close()
            return
        with contextlib.suppress(OSError):
            self._socket.send(b"\r\n")

    def close(self) -> None:
        """Hang up."""
        self.open = self.unclaimed = False
        self._socket.close()

    def _ask(self) -> None:
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
        elif not self._path:
            self.good = not self._only or peers.listens(self._only, self._port)
            self.close()
        else:
            self._asked = True
            self._socket.send(
                f"GET {self._path} HTTP/1.1\r\nHost: {HOST}\r\n"
                "User-Agent: flow\r\nConnection: close\r\n".encode()
            )
            # A request is answered when it is whole: until then it can be seen who
            # has taken it. Afterwards its taker may have closed it already.
            self.unclaimed = self._only > 0
            if not self.unclaimed:
                self._socket.send(b"\r\n")

    def _read(self) -> None:
        data = self._socket.recv(4096)
        self._answer += data
        if not data or len(self._answer) >= STATUS:
            self.good = bool(WELL.match(self._answer))
            self.close()
