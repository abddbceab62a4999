"""Pulse: shows that a role of this host lives, for ``flow health``."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from flow.service import Service

if TYPE_CHECKING:
    from flow.store.client import Store


class Pulse(Service):
    """Beats for one role of this host.

    Args:
        store: where it shows.
        role: ``worker``, ``urgentworker`` or ``clock``.
    """

    interval = 5.0

    def __init__(self, store: Store, role: str) -> None:
        """Beat nothing yet."""
        self._store = store
        self._host = socket.gethostname()
        self._role = f"{role}:{os.getpid()}"

    def run_once(self) -> None:
        """Beat once."""
        self._store.pulse(self._host, self._role)

    def end(self) -> None:
        """Show that the role has ended."""
        self._store.pulse(self._host, self._role, ended=True)
