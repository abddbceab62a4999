"""A project's server, as a user of it has it in hand."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from flow.store.embedded import address, locks, wire
from flow.store.embedded.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from flow.store.embedded.folder import Folder


class Server:
    """A running server of a project, kept up for this process until it is closed.

    Args:
        folder: the project's.
        users: a descriptor that holds ``users.lock``; children of a fork share it.
        started: whether this process started it.

    Attributes:
        state: the project's ``.flow``.
        socket: where it listens.
        url: the same, for ``redis.Redis.from_url`` and REDIS_URL.
        pid: its process, or None if it could not be asked.
        started: whether this process started it, or joined it.
    """

    def __init__(self, folder: Folder, users: int, *, started: bool) -> None:
        """Note where the server is."""
        self.state: Path = folder.state
        self.socket: Path = address.find(folder)
        self.url: str = address.url(self.socket)
        self.pid: int | None = _pid(self.socket)
        self.started = started
        self._folder = folder
        self._users: int | None = users

    def wait(self) -> None:
        """Return when the server has ended, for whatever reason."""
        locks.wait_free(self._folder.server_lock)

    def close(self) -> None:
        """Leave; the server ends when its last user has left."""
        users, self._users = self._users, None
        if users is not None:
            os.close(users)

    def leave(self, timeout: float = 10.0) -> None:
        """Leave, and wait for the server's end if that was its last user.

        Args:
            timeout: seconds after which it is left to its guard.
        """
        self.close()
        patience = Patience(timeout)
        with suppress(FileNotFoundError):  # the folder was deleted
            while not self._is_settled() and not patience.is_over():
                patience.pause()

    def _is_settled(self) -> bool:
        """Return whether others use the server, or it and its guard are gone."""
        alone = locks.take(self._folder.users_lock, locks.Kind.EXCLUSIVE)
        if alone is not None:
            os.close(alone)
            # Otherwise its guard has not seen yet that nobody is left.
            return not locks.is_held(self._folder.server_lock)
        others = locks.take(self._folder.users_lock, locks.Kind.SHARED)
        if others is None:
            return False  # the guard has it, until the server has ended
        os.close(others)
        return True

    def __enter__(self) -> Self:
        """Return the server."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave."""
        self.close()


def _pid(socket: Path) -> int | None:
    try:
        return int(wire.info(socket, "server")["process_id"])
    except (OSError, KeyError, ValueError):
        return None
