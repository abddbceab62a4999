"""flow health: says whether a role of this host lives, for containers and monitors."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import click

from flow import config
from flow.cli import options
from flow.errors import FlowError
from flow.store.address import find_server
from flow.store.client import Store
from flow.store.inspect import last_beats

ROLES = ("worker", "urgentworker", "clock")


@click.command()
@click.argument("role", type=click.Choice(ROLES))
@click.option(
    "--max-age",
    type=click.FloatRange(1),
    default=30,
    show_default=True,
    help="Seconds since its last beat.",
)
@options.redis_url
def health(role: str, max_age: float, redis_url: str | None) -> int:
    """Exit with 0 when ROLE runs on this host and beats, else with 1 and the reason.

    A clock that stands by is healthy too.
    """
    project = config.find_project(Path.cwd())
    try:
        store = Store(find_server(redis_url, project))
        beats = last_beats(store, socket.gethostname())
    except FlowError as error:
        click.echo(f"{role}: {error}", err=True)
        return 1
    ages = [
        time.time() - beat
        for name, beat in beats.items()
        if name.startswith(f"{role}:")
    ]
    if not ages:
        click.echo(f"{role}: none runs on {socket.gethostname()}", err=True)
        return 1
    youngest = min(ages)
    if youngest > max_age:
        click.echo(f"{role}: last beat {youngest:.0f} s ago", err=True)
        return 1
    click.echo(f"{role}: beat {max(0.0, youngest):.0f} s ago")
    return 0
