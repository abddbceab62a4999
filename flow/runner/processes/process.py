"""One process of a session: started in a session of its own, its output in a pipe."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import shutil
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

from flow.runner.processes import descendants

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from pathlib import Path

CLOSED = -1
HANDED = 3  # the first descriptor of sd_listen_fds(3)
LISTENING = {"LISTEN_FDS": "1"}
RELEASE = "HEROKU_RELEASE_VERSION"


def shell(command: str, environ: Mapping[str, str]) -> list[str]:
    """Return the arguments that run a command as Heroku does: in bash, unchanged.

    No ``exec`` is put before it: that breaks ``X=1 command`` and ``a && b``.
    """
    bash = shutil.which("bash", path=environ.get("PATH"))
    return [bash or "/bin/sh", "-c", command]


class Process:
    """A command to run, then a running one, then how it ended.

    Args:
        name: what its lines and messages call it, such as ``web.1``.
        command: what the shell is given.
        environ: its whole environment.
        folder: its working folder.
        terminal: it gets a terminal of its own, instead of a pipe.
        listener: a listening socket that it gets as descriptor 3, as systemd does it.
    """

    def __init__(
        self,
        name: str,
        command: str,
        environ: Mapping[str, str],
        folder: Path,
        *,
        terminal: bool = False,
        listener: socket.socket | None = None,
    ) -> None:
        """Start nothing yet."""
        self.name, self.terminal = name, terminal
        self.pid = 0
        self.output = CLOSED  # where to read what it writes
        self.code: int | None = None
        self.release = environ.get(RELEASE, "")
        self._command, self._environ, self._folder = command, environ, folder
        self._listener = listener

    def start(self) -> None:
        """Start it in a session of its own: what it leaves behind is in its group.

        Raises:
            OSError: it cannot be started.
        """
        self.output, writer = pty.openpty() if self.terminal else os.pipe()
        try:
            self._popen = self._started(writer)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(writer)
        os.set_blocking(self.output, False)
        self.pid = self._popen.pid

    def _started(self, writer: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the Procfile is the user's
            shell(self._command, self._environ),
            stdin=writer if self.terminal else subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            env={**self._environ, **(LISTENING if self._listener else {})},
            cwd=self._folder,
            start_new_session=True,
            preexec_fn=self._prepare if self.terminal or self._listener else None,  # noqa: PLW1509 - safe, as there are no threads here
            pass_fds=(HANDED,) if self._listener else (),
        )

    def _prepare(self) -> None:
        if self.terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if self._listener:
            os.dup2(self._listener.fileno(), HANDED)

    def ended(self, status: int) -> None:
        """Note how it ended, from what waitpid returned."""
        code = os.waitstatus_to_exitcode(status)
        self._popen.returncode = code  # Popen would wait for it again
        self.code = code if code >= 0 else 128 - code

    def send(self, number: int) -> None:
        """Send a signal to its group."""
        descendants.send(-self.pid, number)

    def read(self, size: int) -> bytes | None:
        """Return what it wrote, at most ``size`` bytes: empty at the end, else None."""
        if self.output == CLOSED:
            return None
        try:
            return os.read(self.output, size)
        except BlockingIOError:
            return None
        except OSError:
            if self.terminal:
                return b""  # nobody holds the other side of it any more
            raise

    def type(self, data: bytes) -> None:
        """Type into its terminal; what is too much for it is lost, as at a keyboard."""
        if self.terminal and self.output != CLOSED:
            with contextlib.suppress(OSError):
                os.write(self.output, data)

    def resize(self, rows: int, columns: int) -> None:
        """Tell its terminal how large it is."""
        if self.terminal and self.output != CLOSED:
            size = struct.pack("4H", rows, columns, 0, 0)
            with contextlib.suppress(OSError):
                fcntl.ioctl(self.output, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Close the pipe, or the terminal."""
        descriptor, self.output = self.output, CLOSED
        os.close(descriptor)
