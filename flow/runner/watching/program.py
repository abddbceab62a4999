"""The program that watches files for a session and tells it which have changed.

It runs beside the session, because watchfiles waits in threads, and a session that
starts processes must have none. It writes a list in JSON on a line for each batch of
changes; the first list is empty, once nothing is missed any more. Any other line is
why it ends.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from watchfiles import Change, watch

from flow.runner.watching.ignored import is_ignored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOOK = 100  # milliseconds between two looks
BATCH = 400  # milliseconds that a batch may take while files change all the time


class Parent:
    """Tells watchfiles to stop when the session has ended."""

    def __init__(self) -> None:
        """Note whose child this is."""
        self._pid = os.getppid()
        self._told = False

    def is_set(self) -> bool:
        """Return whether the session is gone; watchfiles asks once it watches."""
        if not self._told:
            _tell([])
            self._told = True
        return os.getppid() != self._pid


def main() -> None:
    """Watch the folder that is the one argument."""
    folder = Path(sys.argv[1])
    try:
        _watch(folder, Parent())
    except BrokenPipeError:
        os._exit(1)  # the session is gone: nobody is left to tell
    except OSError as error:
        sys.exit(f"{folder}: {error}")


def _watch(folder: Path, parent: Parent) -> None:
    def wanted(_: Change, path: str) -> bool:
        return not is_ignored(PurePath(path).relative_to(folder))

    while folder.is_dir():
        try:
            for batch in watch(
                folder,
                watch_filter=wanted,
                debounce=BATCH,
                step=LOOK,
                stop_event=parent,
                ignore_permission_denied=True,
            ):
                paths = (one for change in batch for one in _files(*change))
                found = {path.relative_to(folder) for path in paths}
                if found := {path for path in found if not is_ignored(path)}:
                    _tell(found)
        except RuntimeError as error:
            # A name that is no UTF-8: its change is lost, those to come are not.
            if "decode" not in str(error):
                sys.exit(f"{folder}: {error}")
            continue
        return


def _files(change: Change, text: str) -> Iterator[Path]:
    """Return the files that a change is about."""
    path = Path(text)
    if not path.is_dir():
        yield path
    elif change is Change.added:
        # What came with a folder, or right after it, is told by nobody else.
        for folder, _, names in os.walk(path):
            yield from (Path(folder, name) for name in names)


def _tell(paths: Iterable[PurePath]) -> None:
    print(json.dumps(sorted(path.as_posix() for path in paths)), flush=True)  # noqa: T201 - a line is what it is for


if __name__ == "__main__":
    main()
