"""``flow start``: the whole Procfile in one terminal, and a server if none is named."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow.errors import ProcfileError
from flow.runner import environ, formation, guard, manager, ports, standard, workplace
from flow.runner import procfile as procfiles
from flow.runner.formation import Instance
from flow.runner.prefix import Style, wants_colours
from flow.store import embedded
from flow.store.address import masked

if TYPE_CHECKING:
    from flow.runner.procfile import Procfile
    from flow.runner.workplace import Workplace

HELP = """Start every process of the Procfile, or only those that are named.

\b
flow start                       all of them, one each
flow start web worker            these two
flow start -c worker=3           all of them, three workers
flow start -c all=0,web=1        nothing but the web process

A line `release: ...` is never a process: it runs first, once, when the whole
Procfile is started; if it fails, nothing starts. When one process ends, all are
stopped, and its exit code is returned. Ctrl-C stops them all; a second one kills.

The environment is the one you have, then .env.local, then .env. PORT is 5001 for
the first process type, 100 more for each next one, 1 more for each instance.
Without REDIS_URL, an app gets a server of its own; its jobs are kept in .flow/.
"""


@click.command(help=HELP, short_help="Start every process of the Procfile.")
@click.argument("process", nargs=-1)
@click.option("-f", "--procfile", type=click.Path(path_type=Path), help="Another one.")
@click.option("-e", "--env", default="", help="These .env files instead: a,b")
@click.option("-p", "--port", type=int, help="The first port.  [default: 5001]")
@click.option("-c", "--formation", "wanted", default="", help="How many: web=2,all=1")
@click.option(
    "--grace",
    type=click.FloatRange(0, 86_400),
    default=10.0,
    show_default=True,
    help="Seconds a process has to end before it is killed.",
)
@click.option("--override", is_flag=True, help="Let .env win over the environment.")
@click.option("--release/--no-release", default=None, help="Run it in any case; never.")
@click.option("--no-prefix", is_flag=True, help="Show lines without web.1 before them.")
@click.option("--timestamps", is_flag=True, help="Show the time before each line.")
def start(  # noqa: PLR0913 - click gives one argument per option
    *,
    process: tuple[str, ...],
    procfile: Path | None,
    env: str,
    port: int | None,
    wanted: str,
    grace: float,
    override: bool,
    release: bool | None,
    no_prefix: bool,
    timestamps: bool,
) -> None:
    """Start every process of the Procfile, or only those that are named."""
    standard.fill()
    files = env_files(env)
    place = workplace.find(Path.cwd(), procfile, files, os.environ, override=override)
    listed = procfiles.read(place.procfile)
    base = environ.base_port(port, place.shared)
    counts = formation.counts(wanted) if wanted else {}
    instances = formation.instances(listed, process, counts, base)
    ports.require_free(instances)
    first = first_to_run(listed, base, asked=release, whole=not process)
    colours = wants_colours(standard.OUTPUT, os.environ)
    style = Style(names=not no_prefix, times=timestamps, colours=colours)
    with ExitStack() as until_all_have_ended:
        notices = [*several_clocks(instances), *serve(place, until_all_have_ended)]
        plan = manager.Plan(
            place.folder, place.shared, instances, style, first, grace, tuple(notices)
        )
        code = manager.run(plan, standard.OUTPUT, guard.split())
    sys.exit(code)


def env_files(text: str) -> list[Path]:
    """Return the files that ``-e a,b`` names."""
    return [Path(name.strip()) for name in text.split(",") if name.strip()]


def first_to_run(
    listed: Procfile, base: int, *, asked: bool | None, whole: bool
) -> Instance | None:
    """Return the release, if it is to run now.

    Raises:
        ProcfileError: it was asked for, and there is none.
    """
    entry = listed.find(procfiles.RELEASE)
    if asked and entry is None:
        raise ProcfileError(f"{listed.source} has no release line")
    if entry is None or not (whole if asked is None else asked):
        return None
    return Instance(entry.name, 1, entry.command, base)


def several_clocks(instances: tuple[Instance, ...]) -> list[str]:
    """Return a warning if more than one clock is started."""
    clocks = [instance for instance in instances if instance.type == "clock"]
    if len(clocks) < 2:  # noqa: PLR2004 - one clock is the rule
        return []
    return [f"{len(clocks)} clocks: safe, but only one at a time does something"]


def serve(place: Workplace, until: ExitStack) -> list[str]:
    """Start the project's own server if none is named; say which one is used."""
    if place.redis_from:
        # Only the address: a password may also stand in the query.
        url = place.shared[workplace.REDIS_URL].partition("?")[0]
        return [f"redis: {masked(url)}, from {place.redis_from}"]
    if place.project is None or not place.app:
        return []
    server = until.enter_context(embedded.start(place.project.state))
    place.shared[workplace.REDIS_URL] = server.url
    how = "started here" if server.started else "already running"
    return [f"redis: the project's own, {how}; its data is in {place.project.state}"]
