"""How one becomes a user of a project's server: start it, or join it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flow.errors import ConfigError, ServerUnreachable
from flow.store.embedded import locks
from flow.store.embedded.folder import Folder, check_ours
from flow.store.embedded.greeting import Greeting, greet
from flow.store.embedded.launch import launch
from flow.store.embedded.patience import Patience
from flow.store.embedded.server import Server

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

SILENCE = 10.0  # seconds a running server may take to answer one who joins


def start(state: Path, *, timeout: float = 10.0) -> Server:
    """Start the project's server, or join the one that runs.

    Args:
        state: the project's ``.flow``; it is made if it is missing.
        timeout: seconds that a server may be silent; reading its data is no silence.

    Returns:
        The server, which answers. This process is its user until it is closed, or
        until the process ends, however it ends.

    Raises:
        NoServer: there is no server program on this machine.
        ServerNotStarted: the server ended, or was silent; says what its log says.
        ServerUnreachable: the one that runs does not answer.
        ConfigError: the folder cannot be used.
    """
    folder, patience = Folder(state.resolve()), Patience(timeout)
    with _explained(folder):
        folder.prepare()
        users = _become_user(folder, patience)
        try:
            started = _reach(folder, patience)
            return Server(folder, users, started=started)
        except BaseException:
            os.close(users)
            raise


def join(state: Path) -> Server | None:
    """Join the project's server, if one runs.

    Args:
        state: the project's ``.flow``; it need not exist.

    Returns:
        The server, as ``start`` does, or None when none runs or it is about to end.

    Raises:
        ServerUnreachable: it runs but does not answer.
        ConfigError: the folder is another user's.
    """
    folder = Folder(state.resolve())
    with _explained(folder):
        if not locks.is_held(folder.server_lock):
            return None
        check_ours(folder.state)
        users = locks.take(folder.users_lock, locks.Kind.SHARED)
        if users is None:
            return None
        try:
            if _is_running(folder, Patience(SILENCE)):
                return Server(folder, users, started=False)
        except BaseException:
            os.close(users)
            raise
        os.close(users)
        return None


def _become_user(folder: Folder, patience: Patience) -> int:
    # From here on the guard cannot begin to stop the server. One that has begun
    # holds the lock until the server is gone, so nobody joins what is going.
    while (users := locks.take(folder.users_lock, locks.Kind.SHARED)) is None:
        _go_on(folder, patience)
    return users


def _reach(folder: Folder, patience: Patience) -> bool:
    while (lock := locks.take(folder.server_lock, locks.Kind.EXCLUSIVE)) is None:
        greeting = greet(folder, dismiss=True)
        if greeting is Greeting.READY:
            return False
        _go_on(folder, patience, greeting)
    try:
        launch(folder, lock, patience)
    finally:
        os.close(lock)
    return True


def _is_running(folder: Folder, patience: Patience) -> bool:
    while locks.is_held(folder.server_lock):
        greeting = greet(folder)
        if greeting in (Greeting.READY, Greeting.LEAVING):
            return greeting is Greeting.READY
        _go_on(folder, patience, greeting)
    return False


def _go_on(
    folder: Folder, patience: Patience, greeting: Greeting = Greeting.SILENT
) -> None:
    if greeting is Greeting.LOADING:
        patience.renew()
    if patience.is_over():
        raise ServerUnreachable(
            f"a server runs in {folder.state} but has not answered for "
            f"{patience.seconds:g} s; see {folder.log}"
        )
    patience.pause()


@contextmanager
def _explained(folder: Folder) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"no server can be kept in {folder.state}: {error.strerror or error} "
            f"({error.filename or 'the system'}); make it a folder that you may write"
        ) from error
