"""The releases of a project, kept in its ``.flow/releases``.

A release is two files, its record and its config vars, and its status is in the
name of the record: ``v12.pending.json`` becomes ``v12.succeeded.json``. So a release
succeeds by one rename, which no kill can halve and which needs no space on a full disk.
"""

from __future__ import annotations

import getpass
import os
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from flow.errors import ReleaseError
from flow.runner.releases.files import Files
from flow.runner.releases.release import INTERRUPTED, Release
from flow.runner.releases.turn import Turn
from flow.runner.session.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from flow.runner.releases.files import Found

KEPT = 200  # releases; those before them are forgotten when the next one begins
PATIENCE = 60.0  # seconds that one waits for another's release to end


def user() -> str:
    """Return who makes a release."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number only
        return f"uid {os.geteuid()}"


class ReleaseStore:
    """The releases of a project.

    One is made at a time: ``begin`` waits until no other process has one pending, and
    what a process that died has left pending is shown as failed.

    Args:
        folder: the ``.flow`` of the project; made if it is missing.
        now: Unix seconds.
        by: who makes the releases.
    """

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float] = time.time,
        by: Callable[[], str] = user,
    ) -> None:
        """Open nothing yet."""
        self._state, self._now, self._by = State(folder), now, by
        self._files = Files(folder / "releases")
        self._turn = Turn(self._files.folder / "lock")
        self._staying = False  # the turn is kept when a release is settled

    def current(self) -> Release | None:
        """Return the release that is to run, or None if there is none.

        Raises:
            ReleaseError: it cannot be read.
        """
        with _said(self._files.folder):
            found = self._files.read(_current)
        return found[0] if found else None

    def config(self) -> Mapping[str, str]:
        """Return the config vars that are to hold: those of the current release.

        Raises:
            ReleaseError: it cannot be read.
        """
        current = self.current()
        return current.config if current else dict[str, str]()

    def all(self) -> list[Release]:
        """Return the releases, newest first; trees that none of them names are unused.

        Raises:
            ReleaseError: one of them cannot be read.
        """
        return self._seen(list)

    def get(self, version: str | int) -> Release:
        """Return one release.

        Args:
            version: ``12``, ``"12"`` or ``"v12"``.

        Raises:
            ReleaseError: there is none of that name, or it cannot be read.
        """
        name = f"v{str(version).removeprefix('v')}"
        found = self._seen(
            lambda listed: [one for one in listed if f"v{one.version}" == name]
        )
        if not found:
            raise ReleaseError(f"there is no release {name}; flow releases lists them")
        return found[0]

    @contextmanager
    def turn(self, patience: float = PATIENCE) -> Generator[None]:
        """Keep all others from making a release, to look first and then begin one.

        Args:
            patience: seconds to wait for the release that another one makes now.

        Raises:
            ReleaseError: the other one has not ended by then.
        """
        self._take(patience)
        self._staying = True
        try:
            yield
        finally:
            self._staying = False
            self._turn.pass_on()

    def begin(
        self,
        *,
        what: str,
        commit: str | None = None,
        tree: str | None = None,
        config: Mapping[str, str] | None = None,
        formation: Mapping[str, int] | None = None,
        patience: float = PATIENCE,
    ) -> Release:
        """Return a new release, which is pending until ``succeed`` or ``fail``.

        Args:
            what: what it does, for the list; no values of config vars.
            commit: the commit of its code.
            tree: the folder of its code, relative to ``.flow``.
            config: its config vars; by default those of the current release.
            formation: its formation; by default that of the current release.
            patience: seconds to wait for the release that another one makes now.

        Raises:
            ReleaseError: another one is pending, or it cannot be written.
        """
        if not self._turn.mine:
            self._take(patience)
        try:
            with _said(self._files.folder):
                self._tidy()
                current = self.current() or Release(0, 0.0, "", "")
                release = Release(
                    self._files.last() + 1,
                    self._now(),
                    what,
                    self._by(),
                    commit,
                    tree,
                    dict(current.config if config is None else config),
                    dict(current.formation if formation is None else formation),
                )
                self._files.add(release)
        except BaseException:
            self._settled()
            raise
        return release

    def succeed(self, release: Release) -> Release:
        """Make a pending release the current one, and return it as it is now.

        Raises:
            ReleaseError: it is not pending any more, or that cannot be written.
        """
        with _said(self._files.folder):
            succeeded = self._files.settle(release, "succeeded")
        self._settled()
        return succeeded

    def fail(self, release: Release, why: str) -> Release:
        """Take note that a pending release has failed, and return it as it is now.

        Args:
            release: what ``begin`` returned.
            why: for the list; no values of config vars.

        Raises:
            ReleaseError: it is not pending any more, or that cannot be written.
        """
        try:
            with _said(self._files.folder):
                return self._files.settle(release, "failed", why)
        finally:
            self._settled()

    def _seen(self, choose: Callable[[list[Found]], list[Found]]) -> list[Release]:
        with _said(self._files.folder):
            found = self._files.read(choose)
            if self._turn.mine or all(one.status != "pending" for one in found):
                return found
            with self._turn.nobodys() as dead:
                # Read again: while we hold this, none can be pending and alive.
                return [_dead(o) for o in self._files.read(choose)] if dead else found

    def _take(self, patience: float) -> None:
        with _said(self._files.folder):
            self._state.make()
            self._files.make()
            taken = self._turn.take(patience)
        if not taken:
            pending = self._files.read(_pending)
            who = f"{pending[0].name} ({pending[0].what})" if pending else "another one"
            raise ReleaseError(
                f"{who} is not finished yet; releases are made one at a time, try later"
            )

    def _settled(self) -> None:
        if not self._staying:
            self._turn.pass_on()

    def _tidy(self) -> None:
        for dead in self._files.read(_pending):
            self._files.settle(dead, "failed", INTERRUPTED)
        self._files.tidy(KEPT - 1)


def _current(listed: list[Found]) -> list[Found]:
    return [one for one in listed if one.status == "succeeded"][:1]


def _pending(listed: list[Found]) -> list[Found]:
    return [one for one in listed if one.status == "pending"]


def _dead(release: Release) -> Release:
    if release.status != "pending":
        return release
    return replace(release, status="failed", why=INTERRUPTED)


@contextmanager
def _said(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise ReleaseError(f"{place}: {error.strerror or error}") from error
