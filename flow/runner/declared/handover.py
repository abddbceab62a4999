"""How a type goes over from one release to the next: ``handover`` in its settings.

``overlap``: the new process runs beside the old one for a moment. ``socket``: they do,
and both take requests from one listening socket, which flow holds and they inherit.
``stop``: the old one is stopped, then the new one started.
"""

from __future__ import annotations

from flow.errors import ConfigError
from flow.runner.declared.ports import WEB

STOP, OVERLAP, SOCKET = "stop", "overlap", "socket"
HERE = "127.0.0.1"


def checked(value: object, ready: str, where: str) -> str:
    """Return a setting if it can be.

    Args:
        value: the setting; ``socket`` may be followed by ``:`` and an address.
        ready: what is declared of the type's readiness.
        where: the table, for a message.

    Raises:
        ConfigError: it is something else.
    """
    way, _, host = value.partition(":") if isinstance(value, str) else ("", "", "")
    if way not in (STOP, OVERLAP, SOCKET) or (host and way != SOCKET):
        raise ConfigError(
            f"{where} handover must be stop, overlap, socket or socket:ADDRESS, not"
            f" {value!r}"
        )
    if way == SOCKET and ready == "port":
        raise ConfigError(
            f'{where} ready = "port" says nothing with handover = "{value}": flow'
            " listens on that port itself; use http:/path, log:... or command:..."
        )
    return str(value)


def address(handover: str) -> str:
    """Return where flow listens for a type, or an empty text if it does not."""
    way, _, host = handover.partition(":")
    return (host or HERE) if way == SOCKET else ""


def overlaps(name: str, old: str, new: str) -> bool:
    """Return whether both releases of a type may run for a moment.

    Args:
        name: the type.
        old: the setting in the old release; empty if it has none.
        new: the same in the new one.
    """
    # Only web has a port that it must have to itself, as far as anybody knows.
    default = STOP if name == WEB else OVERLAP
    return (old or default) == (new or default) != STOP
