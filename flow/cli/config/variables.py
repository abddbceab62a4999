"""``flow config set``, ``get`` and ``unset``: single config vars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flow.cli.config.change import change, folder_of
from flow.cli.config.group import for_a_shell
from flow.cli.project import procfile_option
from flow.errors import ConfigError
from flow.runner.releases import configvars
from flow.runner.releases.store import ReleaseStore

if TYPE_CHECKING:
    from pathlib import Path


@click.command("set")
@click.argument("assignment", nargs=-1, required=True, metavar="NAME=VALUE...")
@procfile_option
def set_(*, assignment: tuple[str, ...], procfile: Path | None) -> None:
    """Set config vars: A=1 B=2. All of them are one release and one restart."""
    change(procfile, configvars.assignments(assignment))


@click.command()
@click.argument("name")
@click.option("-s", "--shell", is_flag=True, help="Print it for a shell.")
@procfile_option
def get(*, name: str, shell: bool, procfile: Path | None) -> None:
    """Print the value of a config var."""
    release = ReleaseStore(folder_of(procfile)).current()
    if release is None or name not in release.config:
        raise ConfigError("there is no config var of that name; flow config shows all")
    value = release.config[name]
    click.echo(for_a_shell(name, value) if shell else value)


@click.command()
@click.argument("name", nargs=-1, required=True)
@procfile_option
def unset(*, name: tuple[str, ...], procfile: Path | None) -> None:
    """Remove config vars. What is not set stays so."""
    change(procfile, dict.fromkeys(name))
