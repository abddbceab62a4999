"""Runs the web process: uvicorn, which leaves so that no request finds it gone."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from socket import socket

HANDED = 3  # the descriptor of an inherited socket, as systemd counts
LAST = 1.0  # seconds for the connections that are there to say what they want
PATIENCE = 3  # seconds for the answers


class Server(uvicorn.Server):
    """A server that first takes no new connection, and later closes those it has."""

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Answer what has come in already, then end.

        uvicorn itself closes a connection that has not brought its request yet, which
        whoever opened it a moment ago sees as a failure.
        """
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [
            *self.server_state.default_headers,
            (b"connection", b"close"),
        ]
        await asyncio.sleep(LAST)
        await super().shutdown(sockets)


def main() -> None:
    """Serve on the socket of ``flow start``, else on HOST and PORT."""
    inherited = os.environ.get("LISTEN_FDS") == "1"
    config = uvicorn.Config(
        "photos.web:app",
        fd=HANDED if inherited else None,
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "5001")),
        access_log=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    Server(config).run()


if __name__ == "__main__":
    main()
