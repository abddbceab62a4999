"""A change of the config vars: a release, which a running session takes up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow.config import find_project
from flow.errors import ConfigError
from flow.runner.environment import workplace
from flow.runner.releases import configvars
from flow.runner.releases.renewal import renew
from flow.runner.releases.store import ReleaseStore

if TYPE_CHECKING:
    from collections.abc import Mapping


def folder_of(procfile: Path | None) -> Path:
    """Return the ``.flow`` of the project whose config vars are meant.

    Raises:
        ConfigError: there is no project here.
    """
    here = Path.cwd()
    path = workplace.procfile_of(here, procfile)
    if not path.exists() and find_project(path.parent) is None:
        raise ConfigError(
            f"there is no Procfile in {path.parent}, nor above it; config vars and"
            " releases belong to a project"
        )
    return workplace.state_of(here, procfile)


def change(procfile: Path | None, changes: Mapping[str, str | None]) -> None:
    """Make a release of changes, have a running session restart, and say so.

    Args:
        procfile: the Procfile that was named, if any.
        changes: new values; None removes a config var.

    Raises:
        ConfigError: a name or a value cannot be, or there is no project here.
    """
    folder = folder_of(procfile)
    store = ReleaseStore(folder)
    if (newest := store.all()[:1]) and newest[0].status == "pending":
        waiting = f"waiting for {newest[0].name} ({newest[0].what}) to end"
        click.echo(f"flow: {waiting}", err=True)
    release = configvars.change(store, changes)
    if release is None:
        click.echo("Nothing changes")
        return
    restarted = renew(folder, release)
    if restarted is None:
        click.echo(f"{release.what}... done, {release.name}; flow start takes them")
    else:
        names = ", ".join(restarted) or "nothing"
        click.echo(f"{release.what} and restart {names}... done, {release.name}")
