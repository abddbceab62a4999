"""The store and the project of this process, found when they are first needed."""

from __future__ import annotations

import threading
from pathlib import Path

from flow.config import Project, find_project
from flow.store.address import find_server
from flow.store.client import Store

_lock = threading.Lock()
_project: Project | None = None
_store: Store | None = None


def project() -> Project:
    """Return the project that the working folder lies in, or one with all defaults.

    Raises:
        ConfigError: its [tool.flow] cannot be read.
    """
    global _project  # noqa: PLW0603 - one project a process, read once
    if _project is None:
        _project = find_project(Path.cwd()) or Project(Path.cwd())
    return _project


def store() -> Store:
    """Return the store that tasks and jobs of this process use.

    Raises:
        NoServer: no Redis is named and none runs in the project.
    """
    global _store  # noqa: PLW0603 - one store a process, found once
    with _lock:
        if _store is None:
            _store = Store(find_server(project=project()))
        return _store


def use(chosen: Store | None, of: Project | None = None) -> None:
    """Make ``chosen`` the store of this process; None looks it up anew."""
    global _store, _project  # noqa: PLW0603 - as above
    with _lock:
        _store = chosen
        _project = of or _project
