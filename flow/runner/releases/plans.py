"""How a release is run: its code and its config vars, in the session's way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flow.config import find_project
from flow.runner.declared import procfile
from flow.runner.declared.kind import kinds
from flow.runner.declared.settings import of_processes
from flow.runner.processes.process import RELEASE

if TYPE_CHECKING:
    from pathlib import Path

    from flow.runner.releases.release import Release
    from flow.runner.session.plan import Plan


@dataclass(frozen=True, slots=True)
class Plans:
    """Makes the plan of a release from that of the session.

    Args:
        session: how the session runs what it runs.
        root: the project's folder.
        path: the Procfile in it.
        state: the project's ``.flow``.
        terminals: types that get a terminal.
    """

    session: Plan
    root: Path
    path: Path
    state: Path
    terminals: tuple[str, ...] = ()

    def of(self, release: Release) -> Plan:
        """Return how a release is run; which processes it has is not decided.

        Raises:
            ProcfileError: its Procfile is missing or wrong.
            ConfigError: its settings are.
        """
        root = self.state / release.tree if release.tree else self.root
        path = root / self.path.relative_to(self.root)
        listed = procfile.read(path)
        types = [entry.name for entry in listed.types]
        settings = of_processes(path.parent, find_project(path.parent))
        return replace(
            self.session,
            folder=path.parent,
            shared={**self.session.shared, RELEASE: release.name},
            config=release.config,
            listed=listed,
            instances=(),
            kinds=kinds(settings, types, [t for t in self.terminals if t in types]),
            release=None,
            notices=(),
            when_up=None,
        )
