"""A few words with a server over its socket: enough to know that it is there."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Conversation:
    """One connection to a server on a unix socket.

    Args:
        path: the socket.
        timeout: seconds to wait for each answer.

    Raises:
        OSError: nobody listens there.
    """

    def __init__(self, path: Path, *, timeout: float = 1.0) -> None:
        """Connect."""
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connection.settimeout(timeout)
            self._connection.connect(str(path))
        except BaseException:
            self._connection.close()
            raise
        self._answers = self._connection.makefile("rb")

    def ask(self, *words: str) -> str:
        """Send a command; return the text of the answer, an error's with its ``-``.

        Raises:
            OSError: no answer came.
        """
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        self._connection.sendall(f"*{len(parts)}\r\n{''.join(parts)}".encode())
        line = self._answers.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("the server hung up")
        if line.startswith(b"$"):
            return self._answers.read(int(line[1:]) + 2).decode().strip()
        return line.decode().strip().removeprefix("+")

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._connection.close()

    def __enter__(self) -> Self:
        """Return the conversation."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up."""
        self.close()


def info(path: Path, section: str = "default") -> dict[str, str]:
    """Return what the server says of itself, by the names of Redis' INFO.

    Raises:
        OSError: it does not answer.
    """
    with Conversation(path) as server:
        lines = server.ask("INFO", section).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
