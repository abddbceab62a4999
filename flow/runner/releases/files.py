"""The files of the releases: what is written, in which order, and read again."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

from flow.errors import ReleaseError
from flow.runner.releases import durable
from flow.runner.releases.release import Release, read
from flow.runner.session.state import make_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flow.runner.releases.release import Status

RECORD = re.compile(r"v([1-9][0-9]*)\.(pending|succeeded|failed)\.json")
CONFIG = re.compile(r"v([1-9][0-9]*)\.config\.json")
TRIES = 100  # to read what others are changing


class Found(NamedTuple):
    """The name of a record, read."""

    version: int
    status: Status
    path: Path


class Files:
    """The folder of the releases; whoever writes has the turn.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        """Read nothing yet."""
        self.folder = folder

    def make(self) -> None:
        """Make the folder, if it is missing."""
        make_private(self.folder)

    def last(self) -> int:
        """Return the number of the newest release, or 0."""
        return max((one.version for one in self._found()), default=0)

    def read(self, choose: Callable[[list[Found]], list[Found]]) -> list[Release]:
        """Return those of the releases that are chosen, newest first.

        Args:
            choose: gets what there is, newest first, and returns what to read of it.
        """
        for _ in range(TRIES - 1):
            # A file that was listed may have another name by the time it is opened.
            with suppress(FileNotFoundError):
                return self._read(choose)
        return self._read(choose)

    def _read(self, choose: Callable[[list[Found]], list[Found]]) -> list[Release]:
        return [self._release(one) for one in choose(self._found())]

    def add(self, release: Release) -> None:
        """Write a release that is pending: its record last, so that it is complete."""
        config = self._config(release.version)
        try:
            durable.write(config, _json(dict(release.config)))
            durable.write(self._record(release), _json(release.record()))
        except OSError:
            config.unlink(missing_ok=True)
            raise

    def settle(self, release: Release, status: Status, why: str = "") -> Release:
        """Give a pending release its end, and return it so."""
        path = self._record(replace(release, status="pending"))
        if not path.exists():
            raise ReleaseError(f"{release.name} is not pending any more")
        ended = replace(release, status=status, why=why)
        if why:
            durable.write(path, _json(ended.record()))
        durable.rename(path, self._record(ended).name)
        return ended

    def tidy(self, kept: int) -> None:
        """Remove what a killed process left, and the oldest releases.

        Args:
            kept: how many of the newest stay; the current one does, in any case.
        """
        found = self._found()
        succeeded = [one for one in found if one.status == "succeeded"]
        staying = {one.version for one in (*found[:kept], *succeeded[:1])}
        for one in found:
            if one.version not in staying:
                one.path.unlink()
        for path in self.folder.iterdir():
            config = CONFIG.fullmatch(path.name)
            lonely = config and int(config[1]) not in staying
            if lonely or path.name.endswith(durable.BESIDE):
                path.unlink(missing_ok=True)

    def _found(self) -> list[Found]:
        names = [path.name for path in self.folder.iterdir()] if self._there() else []
        found = [
            Found(int(match[1]), cast("Status", match[2]), self.folder / name)
            for name in names
            if (match := RECORD.fullmatch(name))
        ]
        return sorted(found, reverse=True)

    def _there(self) -> bool:
        return self.folder.is_dir()

    def _record(self, release: Release) -> Path:
        return self.folder / f"{release.name}.{release.status}.json"

    def _config(self, version: int) -> Path:
        return self.folder / f"v{version}.config.json"

    def _release(self, found: Found) -> Release:
        record = _content(found.path)
        config = _content(self._config(found.version))
        try:
            return read(record, config, found.status)
        except ValueError as error:
            raise ReleaseError(f"{found.path} is no release: {error}") from None


def _content(path: Path) -> object:
    try:
        found: object = json.loads(path.read_bytes())
    except ValueError:
        # Neither the error nor its cause is passed on: they hold what was read.
        raise ReleaseError(f"{path} is damaged: it is no JSON") from None
    return found


def _json(content: dict[str, object] | dict[str, str]) -> bytes:
    return json.dumps(content, indent=1).encode() + b"\n"
