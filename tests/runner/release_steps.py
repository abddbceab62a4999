"""Dies at each step of making a release, in turn; a program, for the tests.

Its arguments: a folder whose ``.flow`` has one release already, and an empty one. It
copies the first, makes a release in the copy and is killed before the first thing it
asks of the system, then before the second, until it is not killed any more. A write is
killed when half of it is done. It prints how many steps there were.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.runner.releases.store import ReleaseStore

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = ("open", "write", "fsync", "fchmod", "replace", "unlink", "close")


class Killer:
    """Counts what is asked of the system; kills this process before the last."""

    def __init__(self, last: int) -> None:
        self.left = last
        for name in STEPS:
            setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> object:  # noqa: ANN401 - whatever it takes
            self.left -= 1
            if not self.left:
                if name == "write":
                    call(args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args)

        return wrapped


def make_a_release(folder: Path) -> None:
    store = ReleaseStore(folder)
    store.succeed(store.begin(what="the new one", config={"A": "new" * 1000}))


def killed_at(step: int, folder: Path) -> bool:
    child = os.fork()
    if not child:
        Killer(step)
        make_a_release(folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGKILL):
        raise SystemExit(f"step {step} ended with {code}")
    return code != 0


def main(original: Path, copies: Path) -> int:
    step = 0
    while True:
        step += 1
        copy = copies / str(step)
        shutil.copytree(original, copy)
        if not killed_at(step, copy):
            return step


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201 - the test reads it
