"""``flow attach``: this terminal becomes that of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flow.cli.project import procfile_option
from flow.cli.ps import state_of
from flow.runner.control import attached
from flow.runner.control.client import Client

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("process")
@procfile_option
def attach(*, process: str, procfile: Path | None) -> None:
    """Type into a process that was started with --pty, such as pdb in worker.1.

    Ctrl-] leaves it; all other keys are the process's, Ctrl-C too.
    """
    with Client(state_of(procfile)) as client:
        rows, columns = attached.size() or (None, None)
        name = client.ask("attach", dyno=process, rows=rows, columns=columns)["dyno"]
        greeting = f"flow: attached to {name}; Ctrl-] leaves"
        left = attached.attach(client, greeting)
    click.echo(f"flow: {'left' if left else 'ended:'} {name}", err=True)
