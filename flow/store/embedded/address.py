"""Where a project's server listens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from flow.errors import ConfigError
from flow.store.embedded.folder import check_ours, make_private

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.store.embedded.folder import Folder

LONGEST = 100  # bytes; the kernel's own limit is 108 on Linux and 104 on macOS


def choose(folder: Folder) -> Path:
    """Return the socket's path for a new server, with nothing there.

    Only for the holder of ``server.lock``. A path that is too long moves to a short
    folder; a link is left at the usual place, because another process may have other
    ideas (XDG_RUNTIME_DIR, TMPDIR) of where that is.

    Raises:
        ConfigError: no short folder is to be had.
    """
    folder.socket.unlink(missing_ok=True)
    if _fits(folder.socket):
        return folder.socket
    socket = _elsewhere(folder)
    socket.unlink(missing_ok=True)
    folder.socket.symlink_to(socket)
    return socket


def find(folder: Folder) -> Path:
    """Return the path where a running server listens.

    Raises:
        ConfigError: it lies in a folder of another user.
        OSError: the folder where it should lie is gone.
    """
    if not folder.socket.is_symlink():
        return folder.socket
    socket = folder.socket.readlink()
    check_ours(socket.parent)
    return socket


def url(socket: Path) -> str:
    """Return the address in the form that ``redis.Redis.from_url`` reads."""
    return f"unix://{quote(str(socket))}"


def _fits(socket: Path) -> bool:
    # Bytes that are no UTF-8 would not come through a URL.
    try:
        return len(str(socket).encode()) <= LONGEST
    except UnicodeEncodeError:
        return False


def _elsewhere(folder: Folder) -> Path:
    status = folder.state.stat()
    name = f"{status.st_dev:x}-{status.st_ino:x}.sock"
    for shelter in _shelters():
        if _fits(socket := shelter / name):
            make_private(shelter)
            return socket
    raise ConfigError(
        f"no socket can be made for {folder.state}: its path is too long, and so are "
        "those of the temporary directories; set TMPDIR to a short path"
    )


def _shelters() -> Iterator[Path]:
    # Not settings of flow's: they say where this machine keeps its users' sockets.
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if runtime.is_absolute() and _is_ours(runtime):
        yield runtime / "flow"
    for temporary in (os.environ.get("TMPDIR") or "/tmp", "/tmp"):  # noqa: S108 - a folder in it is made private, or refused
        yield Path(temporary) / f"flow-{os.geteuid()}"


def _is_ours(folder: Path) -> bool:
    # After su or sudo the variable may still name the other user's folder.
    try:
        check_ours(folder)
    except (ConfigError, OSError):
        return False
    return True
