"""flow clock by itself: the role."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import click

from flow import config
from flow.cli import options
from flow.cli.clock.dry import say_what_would_be
from flow.patience import Persistence
from flow.registry import TASKS
from flow.scheduler.clock import Clock
from flow.schedules.entries import declared
from flow.store.client import Store

if TYPE_CHECKING:
    from flow.config import Project

release_number = click.option(
    "--release",
    type=click.IntRange(0),
    help="The number of this release: older ones leave its schedules alone; "
    "by default that in HEROKU_RELEASE_VERSION.",
)
dry = click.option(
    "--dry-run",
    is_flag=True,
    help="Only say what a start would change, and what comes next.",
)


@click.group(invoke_without_command=True)
@options.app
@options.redis_url
@release_number
@dry
@options.log_level
@click.pass_context
def clock(
    context: click.Context,
    app: str | None,
    redis_url: str | None,
    release: int | None,
    *,
    dry_run: bool,
    log_level: str,
) -> int:
    """Enqueue what is due: cron ticks, delayed jobs, retries.

    Any number of clocks may run: one leads, another takes over when it goes or is
    silent while a tick is due, and no tick is enqueued twice. SIGTERM or Ctrl-C stops
    it at once.
    """
    context.obj = (app, redis_url)
    if context.invoked_subcommand is not None:
        return 0
    options.level(log_level)
    project, address = options.open_app(app, redis_url)
    options.need_app(project)
    number = config_release(project) if release is None else release
    made = partial(declared, TASKS)
    if dry_run:
        say_what_would_be(Store(address), project, made)
        return 0
    # Waits for a server that is not there yet, and says so.
    first = Store(address, patience=Persistence())
    first.queues()
    first.link.close()
    return Clock(Store(address), address, project, made, number).run()


def config_release(project: Project) -> int:
    """Return the number in HEROKU_RELEASE_VERSION, such as v42; 0 without one."""
    text = config.environment(project).get("HEROKU_RELEASE_VERSION", "")
    found = re.fullmatch(r"v?([0-9]+)", text)
    return int(found[1]) if found else 0
