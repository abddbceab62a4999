"""``flow start``: the whole Procfile in one terminal, and a server if none is named."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.cli.project import (
    env_option,
    override_option,
    port_option,
    procfile_option,
)
from flow.cli.start.formed import first_to_run, formed
from flow.cli.start.options import Options
from flow.cli.start.server import serve
from flow.cli.start.source import deployed, working
from flow.config import find_project
from flow.runner.declared import ports, procfile
from flow.runner.declared.kind import kinds
from flow.runner.declared.settings import of_processes
from flow.runner.environment import environ, workplace
from flow.runner.output import standard
from flow.runner.processes import guard
from flow.runner.releases import configvars
from flow.runner.releases.plans import Plans
from flow.runner.session import background, manager
from flow.runner.session.plan import Plan
from flow.runner.session.state import State

if TYPE_CHECKING:
    from flow.runner.declared.kind import Kind
    from flow.runner.declared.procfile import Procfile
    from flow.runner.environment.workplace import Workplace

HELP = """Start every process of the Procfile, or only those that are named.

\b
flow start                       all of them, one each
flow start web worker            these two
flow start -c worker=3           all of them, three workers
flow start -c all=0,web=1        nothing but the web process
flow start --on-exit restart     what ends is started again
flow start --watch               what a changed file touches, too

A line `release: ...` is never a process: it runs first, once, when the whole
Procfile is started; if it fails, nothing starts. When one process ends, all are
stopped, and its exit code is returned. Ctrl-C stops them all; a second one kills.

While it runs, flow ps, ps:scale, ps:restart, ps:stop, logs, attach and stop talk to
it from another terminal. What was scaled starts so the next time.

The environment is what flow config has, then the one you have, then .env.local, then
.env. PORT is 5001 for the first process type, 100 more for each next one, 1 more for
each instance.
Without REDIS_URL, an app gets a server of its own; its jobs are kept in .flow/.
"""


@click.command(help=HELP, short_help="Start every process of the Procfile.")
@click.argument("process", nargs=-1)
@procfile_option
@env_option
@port_option
@click.option("-c", "--formation", "wanted", default="", help="How many: web=2,all=1")
@click.option(
    "--grace",
    type=click.FloatRange(0, 86_400),
    help="Seconds a process has to end before it is killed.  [default: 10]",
)
@click.option("--like-heroku", is_flag=True, help="A grace of 30 seconds.")
@override_option
@click.option("--release/--no-release", default=None, help="Run it in any case; never.")
@click.option(
    "--on-exit",
    type=click.Choice(["stop", "restart"]),
    help="When a process ends: stop all, or start it again.  [default: stop]",
)
@click.option("--watch", is_flag=True, help="Restart what changed files touch.")
@click.option("--pty", multiple=True, metavar="TYPE", help="Give it a terminal.")
@click.option("--no-prefix", is_flag=True, help="Show lines without web.1 before them.")
@click.option("--timestamps", is_flag=True, help="Show the time before each line.")
@click.option("--json", "as_json", is_flag=True, help="Show each line as JSON.")
@click.option("--log/--no-log", default=True, help="Keep the output for flow logs.")
@click.option("--deployed", is_flag=True, help="The code of the current release.")
@click.option("--daemon", is_flag=True, help="Go on in the background once all is up.")
def start(**typed: Any) -> None:  # noqa: ANN401 - click has checked each of them
    """Start every process of the Procfile, or only those that are named."""
    standard.fill()
    options = Options.of(typed)
    place = workplace.find(
        Path.cwd(),
        options.procfile,
        options.files,
        os.environ,
        override=options.override,
    )
    path, about = deployed(place) if options.deployed else working(place)
    listed = procfile.read(path)
    settings = settings_of(path, listed, options)
    base = environ.base_port(options.port, place.environ)
    state = State(place.state)
    instances, told = formed(options, listed, state, base)
    first = first_to_run(options, listed, base)
    kept, lock = taken(state)
    ports.require_free(instances)
    descriptor, when_up = standard.OUTPUT, None
    if options.daemon:
        descriptor, when_up = background.split()
    with ExitStack() as until_all_have_ended:
        server = serve(place, until_all_have_ended)
        plan = Plan(
            path.parent,
            place.shared,
            listed,
            base,
            instances,
            options.style(descriptor),
            settings,
            first,
            options.patience,
            restart=options.restart,
            watch=options.watch,
            log=options.log,
            notices=(*about, *told, *kept, *hidden(place), *server),
            when_up=when_up,
            config=place.config,
        )
        own = None if lock is None else state
        plans = Plans(plan, place.root, place.procfile, place.state, options.pty)
        code = manager.run(plan, descriptor, guard.split(), own, plans)
    sys.exit(code)


def settings_of(path: Path, listed: Procfile, options: Options) -> dict[str, Kind]:
    """Return what is declared for the types of a Procfile.

    Raises:
        ConfigError: a setting is wrong.
    """
    types = [entry.name for entry in listed.types]
    told = of_processes(path.parent, find_project(path.parent))
    return kinds(told, types, options.pty)


def taken(state: State) -> tuple[list[str], int | None]:
    """Take the project for this session; say so if nothing can be kept in it.

    Raises:
        SessionError: another session has it.
    """
    try:
        return [], state.hold()
    except OSError as error:
        return [
            f"no flow ps and no log: {state.folder}: {error.strerror or error}"
        ], None


def hidden(place: Workplace) -> list[str]:
    """Return a notice if config vars win over something else in the environment."""
    if place.release is None:
        return []
    names = [
        name
        for name, value in place.config.items()
        if os.environ.get(name, value) != value
    ]
    if not names:
        return []
    of, told = place.release.name, configvars.listed(names)
    return [f"config vars of {of} win over the environment: {told}"]
