"""Which code is started: the working tree, or that of the current release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.errors import ConfigError
from flow.runner.processes.process import RELEASE
from flow.runner.releases.store import ReleaseStore
from flow.runner.releases.trees import Trees

if TYPE_CHECKING:
    from pathlib import Path

    from flow.runner.environment.workplace import Workplace


def working(place: Workplace) -> tuple[Path, list[str]]:
    """Return the Procfile of the working tree, and what to say of it."""
    release = ReleaseStore(place.state).current()
    if release is None or release.tree is None:
        return place.procfile, []
    said = f"the working tree; flow start --deployed starts {release.name} instead"
    return place.procfile, [said]


def deployed(place: Workplace) -> tuple[Path, list[str]]:
    """Return the Procfile of the current release, and what to say of it.

    Raises:
        ConfigError: nothing has been deployed.
        ReleaseError: it cannot be read.
    """
    release = ReleaseStore(place.state).current()
    if release is None or release.tree is None:
        raise ConfigError("nothing is deployed here yet; flow deploy does that")
    folder = Trees(place.state).need(release.tree)
    place.shared[RELEASE] = release.name
    path = folder / place.procfile.relative_to(place.root)
    return path, [f"{release.name}: {release.what}"]
