"""The code of releases: each in a folder of its own, and once more as it was.

A release runs in ``.flow/releases/trees/ID``, and may write there. Beside it,
``ID.tar`` holds the same as it was taken: from that a rollback brings it back byte for
byte.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tarfile
from typing import TYPE_CHECKING

from flow.errors import ReleaseError
from flow.runner.releases import durable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flow.runner.releases.release import Release

FOLDER = "releases/trees"  # in .flow
KEPT = 10  # releases whose code is kept


class Trees:
    """The folders of a project's releases.

    Args:
        state: the project's ``.flow``.
        name: returns a name that no other tree has.
    """

    def __init__(
        self, state: Path, name: Callable[[], str] = lambda: secrets.token_hex(6)
    ) -> None:
        """Make nothing yet."""
        self._state, self._name = state, name

    def take(self, fill: Callable[[Path], None]) -> str:
        """Return a new tree, relative to ``.flow``.

        Args:
            fill: puts the code into an empty folder.

        Raises:
            ReleaseError: the disk is full, or the code cannot be read.
        """
        tree = self._new()
        folder = self._state / tree
        try:
            folder.mkdir(mode=0o700)
            fill(folder)
            beside = self._archive(tree).with_suffix(".new")
            with tarfile.open(beside, "w", format=tarfile.PAX_FORMAT) as archive:
                archive.add(folder, ".")
            beside.replace(self._archive(tree))
            durable.keep(folder.parent)
        except BaseException as error:
            self.drop(tree)
            if isinstance(error, OSError):
                raise _said(error, folder) from error
            raise
        return tree

    def again(self, tree: str) -> str:
        """Return a new tree with the code of another one, as that was taken.

        Raises:
            ReleaseError: it is not kept any more.
        """
        new = self._new()
        try:
            # The same bytes under a second name: they are never written to.
            os.link(self._archive(tree), self._archive(new))
        except FileNotFoundError:
            raise ReleaseError(
                f"its code is not kept any more: that of the last {KEPT} releases is;"
                " flow deploy COMMIT brings back a commit"
            ) from None
        except OSError as error:
            raise _said(error, self._archive(tree)) from error
        self.need(new)
        return new

    def need(self, tree: str) -> Path:
        """Return the folder of a tree, made again from what was taken if it is gone.

        Raises:
            ReleaseError: it cannot be made.
        """
        folder = self._state / tree
        if folder.is_dir():
            return folder
        beside = folder.with_name(f"{folder.name}.new")
        try:
            shutil.rmtree(beside, ignore_errors=True)
            with tarfile.open(self._archive(tree)) as archive:
                # It is ours: links in it may lead anywhere, as they did before.
                archive.extraction_filter = _as_it_is
                archive.extractall(beside)  # noqa: S202 - as above
            beside.replace(folder)
        except (OSError, tarfile.TarError) as error:
            shutil.rmtree(beside, ignore_errors=True)
            raise ReleaseError(f"{folder} cannot be made: {error}") from error
        return folder

    def drop(self, tree: str) -> None:
        """Remove a tree that no release has."""
        shutil.rmtree(self._state / tree, ignore_errors=True)
        self._archive(tree).with_suffix(".new").unlink(missing_ok=True)
        self._archive(tree).unlink(missing_ok=True)

    def prune(self, releases: Iterable[Release]) -> None:
        """Remove the trees that are too old, or that no release names.

        Args:
            releases: all of them, newest first.
        """
        if not (self._state / FOLDER).is_dir():
            return
        used = [one.tree for one in releases if one.tree and one.status != "failed"]
        kept = {self._state / tree for tree in list(dict.fromkeys(used))[:KEPT]}
        for path in list((self._state / FOLDER).iterdir()):
            tree = path.with_suffix("")
            if tree not in kept:
                self.drop(str(tree.relative_to(self._state)))

    def _new(self) -> str:
        try:
            (self._state / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _said(error, self._state / FOLDER) from error
        return f"{FOLDER}/{self._name()}"

    def _archive(self, tree: str) -> Path:
        return self._state / f"{tree}.tar"


def _as_it_is(member: tarfile.TarInfo, _path: str) -> tarfile.TarInfo:
    return member


def _said(error: OSError, place: Path) -> ReleaseError:
    return ReleaseError(f"{error.filename or place}: {error.strerror or error}")
