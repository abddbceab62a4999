"""``flow start``: the whole Procfile in one terminal, and a server if none is named."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.config import find_project
from flow.errors import ConfigError, ProcfileError
from flow.runner.declared import formation, ports
from flow.runner.declared import procfile as procfiles
from flow.runner.declared.formation import Instance
from flow.runner.declared.kind import kinds
from flow.runner.declared.settings import of_processes
from flow.runner.environment import environ, workplace
from flow.runner.output import standard
from flow.runner.output.prefix import Style, wants_colours
from flow.runner.processes import guard
from flow.runner.processes.process import RELEASE
from flow.runner.releases import configvars
from flow.runner.releases.plans import Plans
from flow.runner.releases.store import ReleaseStore
from flow.runner.releases.trees import Trees
from flow.runner.session import background, manager
from flow.runner.session.plan import Plan
from flow.runner.session.state import State
from flow.runner.watching import changes
from flow.store import embedded
from flow.store.address import masked

if TYPE_CHECKING:
    from flow.runner.declared.kind import Kind
    from flow.runner.declared.procfile import Procfile
    from flow.runner.environment.workplace import Workplace

LIKE_HEROKU = 30.0  # seconds of grace

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


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed after ``flow start``; each as its help says."""

    process: tuple[str, ...]
    procfile: Path | None
    env: str
    port: int | None
    wanted: str
    grace: float | None
    like_heroku: bool
    override: bool
    release: bool | None
    on_exit: str | None
    watch: bool
    pty: tuple[str, ...]
    no_prefix: bool
    timestamps: bool
    as_json: bool
    log: bool
    daemon: bool
    deployed: bool


@click.command(help=HELP, short_help="Start every process of the Procfile.")
@click.argument("process", nargs=-1)
@click.option("-f", "--procfile", type=click.Path(path_type=Path), help="Another one.")
@click.option("-e", "--env", default="", help="These .env files instead: a,b")
@click.option("-p", "--port", type=int, help="The first port.  [default: 5001]")
@click.option("-c", "--formation", "wanted", default="", help="How many: web=2,all=1")
@click.option(
    "--grace",
    type=click.FloatRange(0, 86_400),
    help="Seconds a process has to end before it is killed.  [default: 10]",
)
@click.option("--like-heroku", is_flag=True, help="A grace of 30 seconds.")
@click.option("--override", is_flag=True, help="Let .env win over the environment.")
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
    options = options_of(typed)
    files = env_files(options.env)
    place = workplace.find(
        Path.cwd(), options.procfile, files, os.environ, override=options.override
    )
    path, about = deployed(place) if options.deployed else working(place)
    listed = procfiles.read(path)
    settings = settings_of(path, listed, options)
    base = environ.base_port(options.port, place.environ)
    state = State(place.state)
    counts, told = how_many(options, listed, state)
    instances = formation.instances(listed, options.process, counts, base)
    first = first_to_run(listed, base, asked=options.release, whole=not options.process)
    kept, lock = state_of(state)
    ports.require_free(instances)
    descriptor, when_up = standard.OUTPUT, None
    if options.daemon:
        descriptor, when_up = background.split()
    with ExitStack() as until_all_have_ended:
        notices = [*about, *told, *kept, *several_clocks(instances), *hidden(place)]
        notices += serve(place, until_all_have_ended)
        plan = Plan(
            path.parent,
            place.shared,
            listed,
            base,
            instances,
            style_of(options, descriptor),
            settings,
            first,
            grace_of(options),
            restart=restarts(options),
            watch=options.watch,
            log=options.log,
            notices=tuple(notices),
            when_up=when_up,
            config=place.config,
        )
        own = None if lock is None else state
        code = manager.run(
            plan,
            descriptor,
            guard.split(),
            own,
            Plans(plan, place.root, place.procfile, place.state, options.pty),
        )
    sys.exit(code)


def working(place: Workplace) -> tuple[Path, list[str]]:
    """Return the Procfile of the working tree, and what to say of it."""
    release = ReleaseStore(place.state).current()
    if release is None or release.tree is None:
        return place.procfile, []
    said = f"the working tree; flow start --deployed starts {release.name} instead"
    return place.procfile, [said]


def deployed(place: Workplace) -> tuple[Path, list[str]]:
    """Return the Procfile of the current release, and what to say of it.

    Raises:
        ConfigError: nothing has been deployed.
        ReleaseError: it cannot be read.
    """
    release = ReleaseStore(place.state).current()
    if release is None or release.tree is None:
        raise ConfigError("nothing is deployed here yet; flow deploy does that")
    folder = Trees(place.state).need(release.tree)
    place.shared[RELEASE] = release.name
    path = folder / place.procfile.relative_to(place.root)
    return path, [f"{release.name}: {release.what}"]


def settings_of(path: Path, listed: Procfile, options: Options) -> dict[str, Kind]:
    """Return what is declared for the types of a Procfile.

    Raises:
        ConfigError: a setting is wrong.
    """
    types = [entry.name for entry in listed.types]
    told = of_processes(path.parent, find_project(path.parent))
    return kinds(told, types, options.pty)


def restarts(options: Options) -> bool:
    """Return whether what ends is started again."""
    if options.on_exit is None:
        return options.watch  # a slip that is saved must not end the session
    return options.on_exit == "restart"


def options_of(typed: dict[str, Any]) -> Options:
    """Return the options as they were typed.

    Raises:
        ConfigError: one of them needs what is not installed.
    """
    options = Options(**typed)
    if options.watch:
        changes.require()
    return options


def env_files(text: str) -> list[Path]:
    """Return the files that ``-e a,b`` names."""
    return [Path(name.strip()) for name in text.split(",") if name.strip()]


def how_many(
    options: Options, listed: Procfile, state: State
) -> tuple[dict[str, int], list[str]]:
    """Return how many of each type to start, and what to say of it.

    What ``flow ps:scale`` left counts where nothing else is asked for.
    """
    if options.wanted:
        return formation.counts(options.wanted), []
    known = [entry.name for entry in listed.types]
    kept = {name: count for name, count in state.kept().items() if name in known}
    started = {**dict.fromkeys(known, 1), **kept}
    if options.process or not kept or not any(started.values()):
        return {}, []
    said = " ".join(f"{name}={count}" for name, count in kept.items())
    return kept, [f"as flow ps:scale left it: {said} (-c all=1: one each)"]


def state_of(state: State) -> tuple[list[str], int | None]:
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


def style_of(options: Options, descriptor: int) -> Style:
    """Return how lines are shown."""
    return Style(
        names=not options.no_prefix,
        times=options.timestamps,
        colours=wants_colours(descriptor, os.environ),
        json=options.as_json,
    )


def grace_of(options: Options) -> float:
    """Return the seconds between TERM and KILL."""
    if options.grace is not None:
        return options.grace
    return LIKE_HEROKU if options.like_heroku else environ.GRACE


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
        url = place.environ[workplace.REDIS_URL].partition("?")[0]
        return [f"redis: {masked(url)}, from {place.redis_from}"]
    if place.project is None or not place.app:
        return []
    server = until.enter_context(embedded.start(place.project.state))
    place.shared[workplace.REDIS_URL] = server.url
    how = "started here" if server.started else "already running"
    return [f"redis: the project's own, {how}; its data is in {place.project.state}"]
