"""``flow releases``: what was deployed and changed, by whom and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from flow.cli.config.change import folder_of
from flow.cli.project import procfile_option
from flow.errors import ConfigError
from flow.runner.releases.store import ReleaseStore
from flow.runner.releases.told import as_json, described, rows

if TYPE_CHECKING:
    from pathlib import Path

HELP = """Show the releases, newest first.

\b
flow releases                    the last 15; -n 50, or --json
flow releases info v12           one of them; without a version the current one

A release is the code, the config vars and the formation that run together. A
deployment makes one, and so does each change of config vars.
"""


@click.group(help=HELP, short_help="Show the releases.", invoke_without_command=True)
@click.option(
    "-n",
    "--num",
    type=click.IntRange(0),
    default=15,
    show_default=True,
    help="How many releases.",
)
@click.option("--json", "json_", is_flag=True, help="Print them as JSON.")
@procfile_option
@click.pass_context
def releases(
    context: click.Context, *, num: int, json_: bool, procfile: Path | None
) -> None:
    """Show the releases, newest first."""
    if context.invoked_subcommand:
        if json_ or procfile:
            raise ConfigError(f"write options after {context.invoked_subcommand}")
        return
    store = ReleaseStore(folder_of(procfile))
    current, found = store.current(), store.all()[:num]
    if json_:
        click.echo(json.dumps([as_json(one) for one in found], indent=2))
        return
    click.echo(f"=== Releases{f' - Current: {current.name}' if current else ''}")
    for row in rows(found, datetime.now(UTC).astimezone()):
        click.echo(row)


@releases.command()
@click.argument("version", required=False)
@click.option("--json", "json_", is_flag=True, help="Print it as JSON.")
@procfile_option
def info(*, version: str | None, json_: bool, procfile: Path | None) -> None:
    """Show one release: the current one, or VERSION, such as v12.

    Of its config vars only the names are shown.
    """
    store = ReleaseStore(folder_of(procfile))
    release = store.get(version) if version else store.current()
    if release is None:
        raise ConfigError("there is no release yet")
    if json_:
        click.echo(json.dumps(as_json(release), indent=2))
        return
    for line in described(release, datetime.now(UTC).astimezone()):
        click.echo(line)
