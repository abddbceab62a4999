"""flow clock by itself: the role."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import click

from flow import config
from flow.cli import options
from flow.cli.clock.dry import say_what_would_be
from flow.patience import SOON, await_server
from flow.registry import TASKS
from flow.scheduler.clock import Clock
from flow.schedules.entries import declared
from flow.signals import STOP, ended_by
from flow.store.client import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.config import Project
    from flow.store.entry import Entry

release_number = click.option(
    "--release",
    type=click.IntRange(0),
    help="The number of this release: older ones leave its schedules alone; "
    "by default that in HEROKU_RELEASE_VERSION.",
)
cron_file = click.option(
    "--cron-file",
    multiple=True,
    metavar="FILE",
    help="A file written for rq cron; can be given several times.",
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
@cron_file
@dry
@options.log_level
@click.pass_context
def clock(  # noqa: PLR0913 - one argument for each option
    context: click.Context,
    app: str | None,
    redis_url: str | None,
    release: int | None,
    *,
    cron_file: tuple[str, ...],
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
    if not cron_file:
        options.need_app(project)
    number = config_release(project) if release is None else release
    made = partial(_made, cron_file)
    if dry_run:
        say_what_would_be(Store(address), project, made)
        return 0
    with ended_by(STOP):
        await_server(address)
    store = Store(address, timeout=SOON)
    return Clock(store, address, project, made, number).run()


def _made(cron_files: Sequence[str], now: int) -> list[Entry]:
    """Return the schedules of the app and of the files."""
    entries = declared(TASKS, now)
    if cron_files:
        from flow.scheduler import cronfile  # noqa: PLC0415 - it loads RQ: a fifth of a second

        taken = [one.id for one in entries]
        entries += cronfile.entries(cron_files, now, taken)
    return entries


def config_release(project: Project) -> int:
    """Return the number in HEROKU_RELEASE_VERSION, such as v42; 0 without one."""
    text = config.environment(project).get("HEROKU_RELEASE_VERSION", "")
    found = re.fullmatch(r"v?([0-9]+)", text)
    return int(found[1]) if found else 0
