"""flow worker: runs jobs."""

from __future__ import annotations

import click

from flow import codec, config
from flow.cli import options
from flow.config.project import START_METHODS
from flow.errors import ConfigError
from flow.registry import TASKS
from flow.workers import roles
from flow.workers import worker as role

HELP = """Run jobs: of the urgent lane first, then of the app's queues.

\b
flow worker                        every queue of the app, urgent first
flow worker --urgent               the urgent lane alone
flow worker --queues mail,default  just these, in this order
flow worker --burst                what waits now, then end

SIGTERM or Ctrl-C lets running jobs end within the grace; what has not ended by
then goes back to its queue. A second Ctrl-C stops at once.
"""


@click.command(help=HELP, short_help="Run jobs.")
@click.option("--urgent", is_flag=True, help="Serve the urgent lane, nothing else.")
@click.option("--queues", metavar="A,B", help="Serve just these, in this order.")
@click.option(
    "--processes",
    type=click.IntRange(1, 1000),
    help="Processes that take jobs; by default FLOW_PROCESSES, else WEB_CONCURRENCY, "
    "else the CPUs here, at most 4.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Plain tasks at a time in each process.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="async def tasks at a time in each process.",
)
@click.option(
    "--serializer",
    default="pickle",
    show_default=True,
    metavar="NAME",
    help="What reads and writes jobs, as RQ's: json, pickle, or an import path.",
)
@click.option(
    "--grace",
    type=click.FloatRange(0),
    help="Seconds a job may go on after SIGTERM; by default FLOW_GRACE, else 25.",
)
@click.option(
    "--kill-after",
    type=click.FloatRange(0),
    help="Seconds a job may go on after its timeout, or when it was stopped; then its "
    "process is killed. By default FLOW_KILL_AFTER, else 5.",
)
@click.option(
    "--max-jobs",
    type=click.IntRange(0),
    help="Jobs after which a process is replaced by a new one; by default "
    "FLOW_MAX_JOBS, else never.",
)
@click.option(
    "--max-memory",
    metavar="SIZE",
    help="Memory of a process, such as 512MB, beyond which it is replaced; by default "
    "FLOW_MAX_MEMORY, else never.",
)
@click.option(
    "--start-method",
    type=click.Choice(START_METHODS),
    help="How processes are started: forked, or spawned as fresh interpreters that "
    "load the app themselves; by default FLOW_START_METHOD, else auto: spawned on "
    "macOS, and where the app started threads while it was imported.",
)
@click.option("--burst", is_flag=True, help="End when the queues are empty.")
@options.app
@options.redis_url
@options.log_level
def worker(
    *,
    urgent: bool,
    queues: str | None,
    app: str | None,
    redis_url: str | None,
    log_level: str,
    serializer: str,
    **given: float | str | None,
) -> None:
    """Load the app, and be a worker."""
    if urgent and queues:
        raise ConfigError("--urgent and --queues exclude each other")
    options.level(log_level)
    project, address = options.open_app(app, redis_url)
    if serializer != "pickle":
        from flow.store import rq  # noqa: PLC0415 - few ask for RQ's code

        codec.use(rq.serializer(serializer))
    chosen = config.names(queues, "--queues") if queues else ()
    served = roles.queues(project, TASKS, urgent=urgent, chosen=chosen)
    role.run(address, config.worker(project, served, given))
