"""flow clock import: takes over what rq-scheduler was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flow.cli.clock.opening import open_app, opened
from flow.cli.clock.wording import table
from flow.scheduler.taking import Taking
from flow.store.client import Store

if TYPE_CHECKING:
    from flow.scheduler.taking import Taken


@click.command("import")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken over.")
@click.option("--tz", metavar="ZONE", help="For entries in local time; TZ by default.")
@opened
def adopt(
    *, dry_run: bool, tz: str | None, app: str | None, redis_url: str | None
) -> None:
    """Take over the entries of rq-scheduler: schedules of the app, delayed jobs.

    Those that end after a number of repeats stay: a clock serves them as they are.
    """
    project, address = open_app(app, redis_url)
    taking = Taking(Store(address), project.name, tz)
    taken = taking.look() if dry_run else taking.take()
    click.echo(table(("JOB", "BECOMES", "WHEN"), [_row(one) for one in taken]))
    done = "would be" if dry_run else "were"
    count = sum(bool(one.becomes) for one in taken)
    click.echo(f"\n{count} of {len(taken)} entries {done} taken over")


def _row(one: Taken) -> tuple[str, str, str]:
    return one.entry.job, one.becomes or "stays", one.why
