"""Restarts the dynos whose files have changed: ``flow start --watch``."""

from __future__ import annotations

import json
import os
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flow.errors import ConfigError, ProcfileError
from flow.runner.declared import procfile
from flow.runner.output.standard import is_written_to
from flow.runner.processes.dyno import NEVER, Dyno, State, Then
from flow.runner.processes.process import CLOSED, Process
from flow.runner.watcher import READ, Wanted
from flow.runner.watching.touched import touched

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.processes.reaper import Reaper
    from flow.runner.session.crew import Crew

CHUNK = 64 << 10  # bytes read at once
SETTLE = 0.3  # seconds without a change, after which it is acted upon
LONGEST = 3.0  # seconds after which it is acted upon in any case
# The folder of flow comes last: in it may be packages named like Python's own.
PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1));"
    " from flow.runner.watching.program import main; main()"
)


def require() -> None:
    """Make sure that files can be watched.

    Raises:
        ConfigError: the extra is not installed.
    """
    if find_spec("watchfiles") is None:
        raise ConfigError(
            "--watch needs watchfiles, which is not installed: pip install"
            ' "flowjobs[watch]"'
        )


class Changes:
    """The files of a project, and the dynos that are to start again with them.

    Args:
        crew: the dynos.
        reaper: buries the process that watches.
        say: tells the person in front of the screen.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        crew: Crew,
        reaper: Reaper,
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """Watch nothing yet."""
        self._crew, self._reaper, self._say, self._clock = crew, reaper, say, clock
        self._folder = crew.roster.plan.folder.resolve()
        self._process = _process(self._folder)
        self._rest = b""
        self._files: dict[str, None] = {}  # in the order in which they changed
        self._due = self._latest = NEVER

    def start(self) -> None:
        """Start to watch."""
        try:
            self._process.start()
        except OSError as error:
            self._say(f"files cannot be watched: {error}")
            return
        self._reaper.add(self._process)

    def wanted(self) -> dict[int, Wanted]:
        """Return what to wait for."""
        output = self._process.output
        return {} if output == CLOSED else {output: Wanted(READ, self, self._process)}

    def attend(self, descriptor: int) -> None:
        """Read what has changed."""
        if descriptor == self._process.output:
            self._read()

    def next_moment(self) -> float:
        """Return when there is something to do, in monotonic seconds."""
        return min(self._due, self._latest)

    def turn(self) -> None:
        """Restart what the changes touch, once they have come to rest."""
        if self._clock() >= self.next_moment():
            files, self._files = list(self._files), {}
            self._due = self._latest = NEVER
            self._restart(files)

    def ended(self, process: Process) -> bool:
        """Return whether what has ended was the process that watches."""
        if process is not self._process:
            return False
        while self._read():
            pass
        if process.output != CLOSED:
            process.close()
        if self._crew.verdict is None:
            self._say("files are watched no more")
        return True

    def _read(self) -> bool:
        data = self._process.read(CHUNK)
        if data:
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._hear(line)
        elif data is not None and self._process.output != CLOSED:
            self._process.close()
        return bool(data)

    def _hear(self, line: bytes) -> None:
        try:
            files = cast("list[str]", json.loads(line))
        except ValueError:
            self._say(f"watch: {line.decode(errors='backslashreplace')}")
            return
        if not files:
            self._say(f"watching {self._folder}")
            return
        # What is said of a change of our own output would be the next change of it.
        found = [one for one in files if not is_written_to(self._folder / one)]
        if not found:
            return
        self._files |= dict.fromkeys(found)
        now = self._clock()
        self._due, self._latest = now + SETTLE, min(self._latest, now + LONGEST)

    def _restart(self, files: list[str]) -> None:
        chosen = {
            dyno: found
            for dyno in self._crew.roster.dynos.values()
            if may_restart(dyno)
            and (found := [one for one in files if touched(dyno.kind.watch, one)])
        }
        if not chosen or self._crew.verdict:
            return
        seen = {one for found in chosen.values() for one in found}
        changed = _in_words([one for one in files if one in seen])
        try:
            listed = procfile.read(Path(self._crew.roster.plan.listed.source))
        except ProcfileError as error:
            self._say(f"{changed} changed; nothing is restarted: {error}")
            return
        self._say(f"{changed} changed: restarting {', '.join(d.name for d in chosen)}")
        for dyno in chosen:
            dyno.renew(listed)
            self._crew.stop(dyno, Then.START)


def _process(folder: Path) -> Process:
    here = str(Path(__file__).parents[3])
    # -P: nothing in the folder may stand in for a module of Python.
    command = [sys.executable, "-P", "-c", PROGRAM, here, str(folder)]
    # The shell must not stay: the program would not see that the session is gone.
    return Process("watch", f"exec {shlex.join(command)}", os.environ, folder)


def may_restart(dyno: Dyno) -> bool:
    """Return whether a dyno runs, or would if it were not for its own fault."""
    if dyno.one_off or dyno.then is not None:
        return False
    return dyno.running or dyno.state in (State.CRASHED, State.COMPLETE)


def _in_words(files: list[str]) -> str:
    first = files[0] if files[0].isprintable() else repr(files[0])
    return first if len(files) == 1 else f"{first} and {len(files) - 1} more"
