"""Config vars in an editor: a private file, which is gone when the editor is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flow.errors import ConfigError, ReleaseError
from flow.runner.releases import durable, written
from flow.runner.releases.turn import Turn
from flow.runner.session.state import State, make_private

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from flow.runner.releases.release import Release

HEADING = """\
# The config vars{of}. Save and close: what differs is one release.
# Lines are those of a .env file; without any, nothing is changed.
"""


def edit(
    folder: Path,
    current: Release | None,
    editor: str,
    again: Callable[[str], bool],
) -> dict[str, str | None]:
    """Have a person edit the config vars, and return what has changed.

    Args:
        folder: the ``.flow`` of the project.
        current: the release that has them now.
        editor: the command of the editor; it gets a file.
        again: is told what is wrong, and returns whether to edit it further.

    Returns:
        the new values, None for what was removed; empty if nothing is to be changed.

    Raises:
        ConfigError: the editor failed.
        ReleaseError: there is no place for the file, or another editor has it.
    """
    before: Mapping[str, str] = current.config if current else {}
    known = {**os.environ, **before}
    with _file(folder) as path:
        durable.write(path, _text(current, before).encode())
        while True:
            _run(editor, path)
            try:
                after = written.read(_content(path), path.name, known)
            except ConfigError as error:
                if not again(str(error)):
                    return {}
            else:
                return differences(before, after) if after else {}


def differences(
    before: Mapping[str, str], after: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the changes that make of one set another."""
    new = {name: text for name, text in after.items() if before.get(name) != text}
    return {**new, **{name: None for name in before if name not in after}}


def _text(current: Release | None, before: Mapping[str, str]) -> str:
    of = f" of {current.name}" if current else ""
    try:
        return HEADING.format(of=of) + written.as_env(before)
    except ConfigError:  # a value that .env files have no form for
        return written.as_json(before)


def _run(editor: str, path: Path) -> None:
    try:
        code = subprocess.call([*shlex.split(editor), str(path)])  # noqa: S603 - the user's own editor
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the editor {editor!r} cannot be started: {error}; set EDITOR"
        ) from error
    if code:
        raise ConfigError(f"the editor {editor!r} ended with {code}; nothing changes")


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name}: byte {error.start} is not UTF-8") from None


@contextmanager
def _file(folder: Path) -> Generator[Path]:
    # A folder of its own: editors keep copies beside what they edit.
    place = folder / "edit"
    try:
        State(folder).make()
        turn = Turn(folder / "edit.lock")
        taken = turn.take(0)
    except OSError as error:
        raise ReleaseError(f"{place}: {error.strerror or error}") from error
    if not taken:
        raise ReleaseError("another flow config edit is open in this project")
    try:
        # What a killed one has left goes, too.
        shutil.rmtree(place, ignore_errors=True)
        make_private(place)
        yield place / "config.env"
    finally:
        shutil.rmtree(place, ignore_errors=True)
        turn.pass_on()
