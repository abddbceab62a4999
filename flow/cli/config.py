"""``flow config``: the config vars of the project, each change of them a release."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow.cli.project import procfile_option
from flow.config import find_project
from flow.errors import ConfigError
from flow.runner.environment import workplace
from flow.runner.releases import configvars, durable, edited, written
from flow.runner.releases.renewal import renew
from flow.runner.releases.store import ReleaseStore

if TYPE_CHECKING:
    from collections.abc import Mapping


HELP = """Show the config vars, or change them.

\b
flow config                      all of them; --json, or -s for a shell
flow config set A=1 B='two'      one release, and one restart, for all of these
flow config get A
flow config unset A B
flow config edit                 in $VISUAL or $EDITOR
flow config import .env          or - for what comes through a pipe; also JSON
flow config export -o FILE       --format env or json

They are kept in .flow, apart from .env and between deployments, and win over .env and
the environment. Each change is a release: see flow releases. A running flow start
restarts its processes, once.
"""


@click.group(
    help=HELP,
    short_help="Show the config vars, or change them.",
    invoke_without_command=True,
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.option("-s", "--shell", is_flag=True, help="Print them for a shell.")
@procfile_option
@click.pass_context
def config(
    context: click.Context, *, as_json: bool, shell: bool, procfile: Path | None
) -> None:
    """Show the config vars, or change them."""
    if context.invoked_subcommand:
        if as_json or shell or procfile:
            raise ConfigError(f"write options after {context.invoked_subcommand}")
        return
    release = ReleaseStore(folder_of(procfile)).current()
    variables = dict(sorted(release.config.items())) if release else {}
    if as_json:
        click.echo(written.as_json(variables), nl=False)
    elif shell:
        for name, value in variables.items():
            click.echo(_for_a_shell(name, value))
    else:
        click.echo(f"=== Config Vars{f' of {release.name}' if release else ''}")
        width = max(map(len, variables), default=0) + 2
        for name, value in variables.items():
            shown = value if value.isprintable() else json.dumps(value)
            click.echo(f"{f'{name}:':{width}}{shown}")


@config.command("set")
@click.argument("assignment", nargs=-1, required=True, metavar="NAME=VALUE...")
@procfile_option
def set_(*, assignment: tuple[str, ...], procfile: Path | None) -> None:
    """Set config vars: A=1 B=2. All of them are one release and one restart."""
    _change(procfile, configvars.assignments(assignment))


@config.command()
@click.argument("name")
@click.option("-s", "--shell", is_flag=True, help="Print it for a shell.")
@procfile_option
def get(*, name: str, shell: bool, procfile: Path | None) -> None:
    """Print the value of a config var."""
    release = ReleaseStore(folder_of(procfile)).current()
    if release is None or name not in release.config:
        raise ConfigError("there is no config var of that name; flow config shows all")
    value = release.config[name]
    click.echo(_for_a_shell(name, value) if shell else value)


@config.command()
@click.argument("name", nargs=-1, required=True)
@procfile_option
def unset(*, name: tuple[str, ...], procfile: Path | None) -> None:
    """Remove config vars. What is not set stays so."""
    _change(procfile, dict.fromkeys(name))


@config.command()
@procfile_option
def edit(*, procfile: Path | None) -> None:
    """Edit the config vars in $VISUAL, or $EDITOR, else vi."""
    folder = folder_of(procfile)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    current = ReleaseStore(folder).current()
    _change(procfile, edited.edit(folder, current, editor, _again))


@config.command("import")
@click.argument("file")
@procfile_option
def import_(*, file: str, procfile: Path | None) -> None:
    """Set what a .env file or a JSON object says; - is the standard input.

    What it does not name stays as it is.
    """
    folder = folder_of(procfile)
    known = {**os.environ, **ReleaseStore(folder).config()}
    _change(procfile, written.read(_text(file), file, known))


@config.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["env", "json"]),
    default="env",
    show_default=True,
    help="The lines of a .env file, or a JSON object.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file, which only you may read then.",
)
@procfile_option
def export(*, form: str, output: Path | None, procfile: Path | None) -> None:
    """Print the config vars so that flow config import takes them."""
    variables = ReleaseStore(folder_of(procfile)).config()
    text = written.as_json(variables) if form == "json" else written.as_env(variables)
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists() and not output.is_file():
        # It would be replaced: no device, no pipe is meant.
        raise ConfigError(f"{output} is no file; without -o it is printed")
    try:
        durable.write(output.resolve(), text.encode())
    except OSError as error:
        raise ConfigError(f"{output}: {error.strerror}") from error


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


def _change(procfile: Path | None, changes: Mapping[str, str | None]) -> None:
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


def _text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: byte {error.start} is not UTF-8") from None


def _again(wrong: str) -> bool:
    click.echo(f"flow: {wrong}", err=True)
    return click.confirm("Edit it again?", default=True, err=True)


def _for_a_shell(name: str, value: str) -> str:
    return f"{name}={shlex.quote(value)}"
