"""The socket on which a running session answers ``flow ps`` and its like.

A request is one line of JSON, and so is the answer; some answers go on as a stream.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flow.errors import FlowError, SessionError
from flow.runner.control.connection import Connection
from flow.runner.watcher import READ, WRITE, Wanted

if TYPE_CHECKING:
    import socket

    from flow.runner.control.verbs import Verbs
    from flow.runner.output.journal import Journal

MOST = 64  # connections at once


class Control:
    """The listening socket and its connections.

    Args:
        listener: where to accept; it is closed at the end.
        verbs: what can be asked for.
        journal: the log that some follow.
    """

    def __init__(
        self, listener: socket.socket, verbs: Verbs, journal: Journal | None
    ) -> None:
        """Accept nobody yet."""
        self._listener, self._verbs, self._journal = listener, verbs, journal
        self._connections: dict[int, Connection] = {}
        self._seen = 0

    def wanted(self) -> dict[int, Wanted]:
        """Return what to wait for."""
        wanted = {
            descriptor: Wanted(READ | (WRITE if one.waiting else 0), self, one)
            for descriptor, one in self._connections.items()
        }
        if len(wanted) < MOST:
            wanted[self._listener.fileno()] = Wanted(READ, self)
        return wanted

    def attend(self, descriptor: int) -> None:
        """Accept a connection, or read and write on one."""
        if descriptor == self._listener.fileno():
            self._accept()
        elif one := self._connections.get(descriptor):
            one.flush()
            for line in one.read():
                self._answer(one, line)
            self._forget_closed()

    def turn(self) -> None:
        """Wake those who follow the log, if something was written."""
        if self._journal and self._journal.count != self._seen:
            self._seen = self._journal.count
            for one in self._connections.values():
                one.wake()
        self._forget_closed()

    def close(self) -> None:
        """Close everything: that is how those who wait learn of the end."""
        for one in self._connections.values():
            one.flush()
            one.close()
        self._connections.clear()
        self._listener.close()

    def _accept(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return  # gone again, or no descriptor is left for it
        peer.setblocking(False)  # noqa: FBT003 - the socket's own signature
        self._connections[peer.fileno()] = Connection(peer)

    def _answer(self, one: Connection, line: bytes) -> None:
        try:
            answer: dict[str, Any] = self._verbs.do(_request(line), one)
        except FlowError as error:
            answer = {"error": str(error)}
        one.send(json.dumps(answer).encode() + b"\n")
        one.begin()

    def _forget_closed(self) -> None:
        for descriptor, one in list(self._connections.items()):
            if one.closed:
                del self._connections[descriptor]


def _request(line: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(line)
    except ValueError:
        raise SessionError("a request is one line of JSON") from None
    if not isinstance(found, dict):
        raise SessionError("a request is a JSON object")
    return found  # pyright: ignore[reportUnknownVariableType] - the verbs check it
