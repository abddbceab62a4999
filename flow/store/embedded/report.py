"""What a project's server says of itself, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.errors import ServerUnreachable
from flow.store.embedded import wire
from flow.store.embedded.folder import Folder

if TYPE_CHECKING:
    from flow.store.embedded.server import Server


def report(server: Server) -> dict[str, str | int]:
    """Return the state of a server, in the order to show it.

    Args:
        server: a running one.

    Returns:
        ``url, pid, version, uptime`` (seconds), ``memory`` and ``disk`` (bytes),
        ``clients`` (open connections), ``data`` and ``log`` (paths).

    Raises:
        ServerUnreachable: it does not answer.
    """
    folder = Folder(server.state)
    try:
        info = wire.info(server.socket)
    except OSError as error:
        raise ServerUnreachable(
            f"the server in {server.state} does not answer; see {folder.log}"
        ) from error
    return {
        "url": server.url,
        "pid": int(info["process_id"]),
        "version": _version(info),
        "uptime": int(info["uptime_in_seconds"]),
        "memory": int(info["used_memory"]),
        "disk": _size(folder),
        "clients": int(info["connected_clients"]) - 1,  # the one that asks
        "data": str(folder.data),
        "log": str(folder.log),
    }


def _version(info: dict[str, str]) -> str:
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info['redis_version']}"


def _size(folder: Folder) -> int:
    total = 0
    for path in folder.data.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # a rewrite of the append-only file has just removed it
    return total
