"""Whether a port is free, asked before anything starts."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from flow.errors import ConfigError
from flow.runner.declared.formation import HIGHEST_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flow.runner.declared.formation import Instance

WEB = "web"  # the one type that gets requests; the others have a PORT by custom only


def require_free(instances: Iterable[Instance]) -> None:
    """Check the ports of the web processes.

    Raises:
        ConfigError: one is taken, or may not be used; the message offers another.
    """
    for instance in instances:
        if instance.type == WEB and (reason := _refusal(instance.port)):
            raise ConfigError(
                f"port {instance.port} for {instance.name} cannot be used: {reason};"
                f" choose another with -p, such as -p {_next_free(instance.port)}"
            )


def _refusal(port: int) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return ""


def _next_free(port: int) -> int:
    higher = range(max(port, 1024) + 1, HIGHEST_PORT)
    return next((other for other in higher if not _refusal(other)), port)
