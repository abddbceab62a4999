"""The listening sockets that flow holds, so that no request finds a port closed."""

from __future__ import annotations

import socket

BACKLOG = 1024  # connections that wait while no process takes any


class Sockets:
    """One socket a port, handed on from process to process."""

    def __init__(self) -> None:
        """Listen nowhere yet."""
        self._open: dict[int, socket.socket] = {}

    def of(self, host: str, port: int) -> socket.socket:
        """Return the socket of a port; it listens from now on.

        Raises:
            OSError: the port is taken, or the address is none of this machine.
        """
        if port not in self._open:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._open[port] = socket.create_server(
                (host, port), family=family, backlog=BACKLOG
            )
        return self._open[port]

    def close(self, port: int) -> None:
        """Listen on a port no more, so that somebody else can."""
        if one := self._open.pop(port, None):
            one.close()

    def close_all(self) -> None:
        """Listen nowhere."""
        for port in list(self._open):
            self.close(port)
