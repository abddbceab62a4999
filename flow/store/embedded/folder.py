"""What lies where in a project's ``.flow``, and whose it must be."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """The places of the embedded server in one project.

    Args:
        state: the project's ``.flow``, absolute and without symbolic links.
    """

    state: Path

    @property
    def server_lock(self) -> Path:
        """Held exclusively by the server process, and by who is starting it."""
        return self.state / "server.lock"

    @property
    def guard_lock(self) -> Path:
        """Held exclusively by the guard: a server without one is on its way out."""
        return self.state / "guard.lock"

    @property
    def users_lock(self) -> Path:
        """Held shared by each user; the guard waits for it exclusively."""
        return self.state / "users.lock"

    @property
    def socket(self) -> Path:
        """The server's socket, or a link to where it had to go."""
        return self.state / "redis.sock"

    @property
    def data(self) -> Path:
        """The server's append-only files."""
        return self.state / "redis"

    @property
    def log(self) -> Path:
        """What the server and its guard say."""
        return self.state / "redis.log"

    def prepare(self) -> None:
        """Make what is missing, for this user alone.

        Raises:
            ConfigError: the folder is another user's.
            OSError: it cannot be made or written.
        """
        make_private(self.state)
        make_private(self.data)
        ignore = self.state / ".gitignore"
        if not ignore.exists():
            ignore.touch(mode=0o600)
            ignore.write_text("*\n", "ascii")


def make_private(folder: Path) -> None:
    """Make a folder that this user alone may enter, or make it so.

    Raises:
        ConfigError: it is another user's, or no folder.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if check_ours(folder).st_mode & 0o077:
        folder.chmod(0o700)


def check_ours(folder: Path) -> os.stat_result:
    """Return the folder's status.

    Raises:
        ConfigError: another user owns it. Jobs are pickles: whoever fills the
            server of somebody else runs code as him.
    """
    # A link is refused as well: what it points to may change after this look.
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise ConfigError(
            f"{folder} is not a folder of user {os.geteuid()} (its owner is "
            f"{status.st_uid}); run flow as its owner, or remove it"
        )
    return status
