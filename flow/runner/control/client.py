"""Asks the session that runs in a project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from flow.errors import SessionError

if TYPE_CHECKING:
    import socket

    from flow.runner.session.state import State

Answer = dict[str, Any]
PATIENCE = 10.0  # seconds


class Client:
    """A connection to the running session.

    Args:
        state: the ``.flow`` of the project.
        patience: seconds to wait for an answer.

    Raises:
        SessionError: no session runs there.
    """

    def __init__(self, state: State, patience: float = PATIENCE) -> None:
        """Connect."""
        self.socket: socket.socket = state.connect()
        self._patience = patience
        self._rest = b""

    def ask(self, verb: str, **request: object) -> Answer:
        """Return the session's answer.

        Raises:
            SessionError: it could not do it, does not answer, or ended meanwhile.
        """
        self.socket.settimeout(self._patience)
        try:
            self._exchange(json.dumps({"verb": verb, **request}).encode() + b"\n")
        except TimeoutError:
            raise SessionError(
                f"the session does not answer within {self._patience:g} s; is it"
                " stopped (Ctrl-Z, SIGSTOP)?"
            ) from None
        except ConnectionError:
            raise SessionError("the session has just ended") from None
        self.socket.settimeout(None)
        line, _, self._rest = self._rest.partition(b"\n")
        answer: Answer = json.loads(line)
        if "error" in answer:
            raise SessionError(answer["error"])
        return answer

    def _exchange(self, request: bytes) -> None:
        self.socket.sendall(request)
        while b"\n" not in self._rest:
            if not (data := self.read()):
                raise SessionError("the session has just ended")
            self._rest += data

    def began_with(self) -> bytes:
        """Return what came of the stream together with the answer."""
        rest, self._rest = self._rest, b""
        return rest

    def read(self) -> bytes:
        """Return the next part of the stream; empty at its end."""
        try:
            return self.socket.recv(65536)
        except ConnectionError:
            return b""

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.socket.close()


def ask(state: State, verb: str, **request: object) -> Answer:
    """Ask one question and hang up.

    Raises:
        SessionError: no session runs there, or it could not do it.
    """
    with Client(state) as client:
        return client.ask(verb, **request)
