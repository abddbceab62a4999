"""What a session keeps beside the project: its lock, its socket, its log, its size."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flow.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST = 9999  # dynos of a type
LONGEST = 100  # bytes of a socket's path; the kernels' limits are 108 and 104


@dataclass(frozen=True, slots=True)
class State:
    """The ``.flow`` of a project, as the runner uses it.

    Args:
        folder: the folder itself.
    """

    folder: Path

    @property
    def log(self) -> Path:
        """Where the log files are."""
        return self.folder / "log"

    @property
    def _lock(self) -> Path:
        return self.folder / "session.lock"

    @property
    def _socket(self) -> Path:
        return self.folder / "session.sock"

    @property
    def _formation(self) -> Path:
        return self.folder / "formation.json"

    def make(self) -> None:
        """Make the folder, if it is missing: nobody else's to read, and not for git.

        Raises:
            OSError: it cannot be made, or is somebody else's.
        """
        make_private(self.folder)
        ignore = self.folder / ".gitignore"
        # One that a full disk has left empty would let git take the secrets in here.
        if not ignore.exists() or not ignore.stat().st_size:
            ignore.write_text("*\n", "ascii")

    def hold(self) -> int:
        """Take the project for one session; the descriptor is to stay open.

        Returns:
            the descriptor of the lock. The kernel lets it go with the process.

        Raises:
            SessionError: another session has it.
            OSError: nothing can be kept here.
        """
        self.make()
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise SessionError(
                f"a session runs in {self.folder.parent} already; flow ps shows it,"
                " flow stop ends it"
            ) from None
        return lock

    def listen(self) -> socket.socket:
        """Return the socket on which the session answers; for the lock's holder.

        Raises:
            OSError: none can be made here.
        """
        self._socket.unlink(missing_ok=True)
        path = self._socket
        if not _fits(path):
            path = self._elsewhere()
            path.unlink(missing_ok=True)
            self._socket.symlink_to(path)
        listener = socket.socket(socket.AF_UNIX)
        try:
            # Nobody may connect between bind and chmod: the folder is 0700.
            listener.bind(str(path))
            path.chmod(0o600)
            listener.listen(16)
            listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
        except BaseException:
            listener.close()
            raise
        return listener

    def unlisten(self) -> None:
        """Remove the socket."""
        with contextlib.suppress(OSError):
            path = self._socket.readlink() if self._socket.is_symlink() else None
            self._socket.unlink()
            if path:
                path.unlink()

    def connect(self) -> socket.socket:
        """Return a connection to the running session.

        Raises:
            SessionError: none runs here.
        """
        try:
            path = (
                self._socket.readlink() if self._socket.is_symlink() else self._socket
            )
            _check_ours(path.parent)
            client = socket.socket(socket.AF_UNIX)
        except OSError:
            raise self._nobody() from None
        try:
            client.connect(str(path))
        except OSError:
            client.close()
            raise self._nobody() from None
        return client

    def keep(self, formation: Mapping[str, int]) -> None:
        """Remember how many dynos of each type there are.

        Raises:
            OSError: the disk is full, or the folder is not writable.
        """
        # Written beside and renamed: a kill in between leaves the old one whole.
        beside = self._formation.with_suffix(".new")
        beside.write_text(json.dumps(dict(formation)) + "\n", "ascii")
        beside.replace(self._formation)

    def kept(self) -> dict[str, int]:
        """Return what ``keep`` remembered last; empty if it is nothing readable."""
        try:
            found: object = json.loads(self._formation.read_text("ascii"))
        except (OSError, ValueError):
            return {}
        table = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        return {
            name: count
            for name, count in table.items()
            if isinstance(count, int)
            and not isinstance(count, bool)
            and 0 <= count <= MOST
        }

    def _nobody(self) -> SessionError:
        return SessionError(
            f"no session runs in {self.folder.parent}; start one with flow start"
        )

    def _elsewhere(self) -> Path:
        status = self.folder.stat()
        name = f"{status.st_dev:x}-{status.st_ino:x}-session.sock"
        for shelter in _shelters():
            if _fits(shelter / name):
                make_private(shelter)
                return shelter / name
        raise OSError(f"the path of {self._socket} is too long for a socket")


def _shelters() -> Iterator[Path]:
    for temporary in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - a folder in it is made private, or refused
        yield Path(temporary) / f"flow-{os.geteuid()}"


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST


def make_private(folder: Path) -> None:
    """Make a folder that is nobody else's to read, if it is missing.

    Raises:
        OSError: it cannot be made, or is somebody else's.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if _check_ours(folder).st_mode & 0o077:
        folder.chmod(0o700)


def _check_ours(folder: Path) -> os.stat_result:
    # Whoever owns the folder could put a socket of his own there.
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise PermissionError(f"{folder} is not a folder of user {os.geteuid()}")
    return status
