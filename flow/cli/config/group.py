"""``flow config`` by itself shows the config vars."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import click

from flow.cli.config.change import folder_of
from flow.cli.project import procfile_option
from flow.errors import ConfigError
from flow.runner.releases import written
from flow.runner.releases.store import ReleaseStore

if TYPE_CHECKING:
    from pathlib import Path

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
            click.echo(for_a_shell(name, value))
    else:
        click.echo(f"=== Config Vars{f' of {release.name}' if release else ''}")
        width = max(map(len, variables), default=0) + 2
        for name, value in variables.items():
            shown = value if value.isprintable() else json.dumps(value)
            click.echo(f"{f'{name}:':{width}}{shown}")


def for_a_shell(name: str, value: str) -> str:
    """Return an assignment as a shell reads it."""
    return f"{name}={shlex.quote(value)}"
