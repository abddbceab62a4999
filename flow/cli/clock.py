"""flow clock: enqueues what is due."""

from __future__ import annotations

import click

from flow.cli import options
from flow.patience import Persistence
from flow.scheduler.clock import Clock
from flow.store.client import Store


@click.group(invoke_without_command=True)
@options.app
@options.redis_url
@options.log_level
@click.pass_context
def clock(
    context: click.Context, app: str | None, redis_url: str | None, log_level: str
) -> int:
    """Enqueue what is due: cron ticks, delayed jobs, retries.

    Any number of clocks may run: one leads, another takes over within seconds when
    it goes, and no tick is enqueued twice. SIGTERM or Ctrl-C stops it at once.
    """
    if context.invoked_subcommand is not None:
        return 0
    options.level(log_level)
    project, address = options.open_app(app, redis_url)
    options.need_app(project)
    # Waits for a server that is not there yet, and says so.
    first = Store(address, patience=Persistence())
    first.queues()
    first.link.close()
    return Clock(Store(address), address, project).run()
