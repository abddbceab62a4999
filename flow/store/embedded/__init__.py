"""The Valkey of a project: one server in its ``.flow``, for as long as it has users.

Who starts, joins and ends it is decided by locks that the kernel keeps (flock), never
by a pid file or by whether a socket answers; docs/embedded-server.md has the whole of
it. Nothing here imports redis or rq: ``flow start`` loads this.
"""

from __future__ import annotations

from flow.store.embedded.entry import join, start
from flow.store.embedded.program import binary
from flow.store.embedded.server import Server

__all__ = ["Server", "binary", "join", "start"]
