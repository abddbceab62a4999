"""``flow config edit``, ``import`` and ``export``: the config vars as a text."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from flow import textfile
from flow.cli.config.change import change, folder_of
from flow.cli.project import procfile_option
from flow.errors import ConfigError
from flow.runner.releases import durable, edited, written
from flow.runner.releases.store import ReleaseStore


@click.command()
@procfile_option
def edit(*, procfile: Path | None) -> None:
    """Edit the config vars in $VISUAL, or $EDITOR, else vi."""
    folder = folder_of(procfile)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    current = ReleaseStore(folder).current()
    change(procfile, edited.edit(folder, current, editor, _again))


@click.command("import")
@click.argument("file")
@procfile_option
def import_(*, file: str, procfile: Path | None) -> None:
    """Set what a .env file or a JSON object says; - is the standard input.

    What it does not name stays as it is.
    """
    folder = folder_of(procfile)
    known = {**os.environ, **ReleaseStore(folder).config()}
    change(procfile, written.read(_text(file), file, known))


@click.command()
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


def _text(file: str) -> str:
    if file == "-":
        return textfile.decoded(sys.stdin.buffer.read(), file, ConfigError)
    try:
        return textfile.read(Path(file), ConfigError)
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file") from None


def _again(wrong: str) -> bool:
    click.echo(f"flow: {wrong}", err=True)
    return click.confirm("Edit it again?", default=True, err=True)
