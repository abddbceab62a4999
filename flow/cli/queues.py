"""flow queues: how the queues stand; pauses and resumes them."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow import config
from flow.cli import options
from flow.cli.clock.wording import table
from flow.store import queues as standing
from flow.store.address import find_server
from flow.store.client import Store

if TYPE_CHECKING:
    from flow.store.queues import Standing

HEAD = (
    *("QUEUE", "WAITING", "STARTED", "FAILED", "SCHEDULED", "DEFERRED", "OLDEST"),
    "SERVED BY",
)
HELP = """Show every queue: what waits, runs, failed, and who serves it.

OLDEST is how long the next job has waited.

\b
flow queues pause NAME     nothing more is taken from it; what runs goes on
flow queues resume NAME    taken from again, at once
"""


def _store(redis_url: str | None) -> Store:
    return Store(find_server(redis_url, config.find_project(Path.cwd())))


@click.command(help=HELP)
@options.redis_url
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def queues(*, redis_url: str | None, as_json: bool) -> None:
    """Print how the queues stand."""
    found = standing.standings(_store(redis_url), time.time())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    click.echo(table(HEAD, [_row(one) for one in found]))


@click.command("queues:pause")
@click.argument("name")
@options.redis_url
def pause(*, name: str, redis_url: str | None) -> None:
    """Have no worker of flow take jobs from the queue NAME; what runs goes on."""
    was_new = standing.pause(_store(redis_url), name)
    click.echo(f"{name} is paused" if was_new else f"{name} was paused already")


@click.command("queues:resume")
@click.argument("name")
@options.redis_url
def resume(*, name: str, redis_url: str | None) -> None:
    """Have the workers take jobs from the queue NAME again."""
    was_paused = standing.resume(_store(redis_url), name)
    click.echo(f"{name} goes on" if was_paused else f"{name} was not paused")


def _row(one: Standing) -> tuple[str, ...]:
    counts = (one.waiting, one.started, one.failed, one.scheduled, one.deferred)
    oldest = "-" if one.oldest is None else _age(one.oldest)
    served = ", ".join(one.served_by) or "nobody"
    name = f"{one.name} (paused)" if one.paused else one.name
    return name, *map(str, counts), oldest, served


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
