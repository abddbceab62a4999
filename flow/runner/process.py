"""One process of a session: started in a session of its own, its output in a pipe."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from flow.runner import descendants

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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
        about: what to say of it when it starts.
    """

    def __init__(
        self,
        name: str,
        command: str,
        environ: Mapping[str, str],
        folder: Path,
        about: str = "",
    ) -> None:
        """Start nothing yet."""
        self.name, self.about = name, about
        self.pid = 0
        self.output = -1  # where to read what it writes
        self.code: int | None = None
        self._command, self._environ, self._folder = command, environ, folder

    def start(self) -> None:
        """Start it in a session of its own: what it leaves behind is in its group.

        Raises:
            OSError: it cannot be started.
        """
        self.output, writer = os.pipe()
        try:
            self._popen = subprocess.Popen(  # noqa: S603 - the Procfile is the user's
                shell(self._command, self._environ),
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                env=dict(self._environ),
                cwd=self._folder,
                start_new_session=True,
            )
        except BaseException:
            os.close(self.output)
            raise
        finally:
            os.close(writer)
        os.set_blocking(self.output, False)
        self.pid = self._popen.pid

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
        try:
            return os.read(self.output, size)
        except BlockingIOError:
            return None

    def close(self) -> None:
        """Close the pipe."""
        os.close(self.output)
