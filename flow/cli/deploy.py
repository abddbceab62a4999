"""``flow deploy``: another release in place of what runs, or nothing changes."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow.cli.project import env_files, env_option, procfile_option
from flow.cli.run import join
from flow.runner.declared import procfile
from flow.runner.environment import environ, workplace
from flow.runner.output import standard
from flow.runner.output.prefix import Prefixes, Style, wants_colours
from flow.runner.output.printer import Printer
from flow.runner.output.sink import Sink
from flow.runner.processes import guard
from flow.runner.releases import code
from flow.runner.releases.deploy import Deploy
from flow.runner.releases.plans import Plans
from flow.runner.releases.store import ReleaseStore
from flow.runner.releases.trees import Trees
from flow.runner.session.plan import Plan
from flow.runner.session.signals import Signals
from flow.runner.session.state import State
from flow.runner.world import local_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.environment.workplace import Workplace

HOUR = 3600.0  # Heroku's limit of the release phase

HELP = """Make a release of the code, and put it in place of what runs.

\b
flow deploy                    the files of the working tree, as they are now
flow deploy main               a commit, a tag or a branch of git
flow releases rollback v12     code, config vars and formation of that release

The release process of the Procfile runs first. Then the running flow start starts
the new processes beside the old ones; when all are up, the old ones are stopped. If
anything fails before that, or Ctrl-C is pressed, the old ones run on.
"""

timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=HOUR,
    show_default=True,
    help="Seconds that the release process may take.",
)
phase_option = click.option(
    "--release/--no-release",
    "phase",
    default=True,
    help="Run the release process, or not.",
)


@click.command(help=HELP, short_help="Release the code, and replace what runs.")
@click.argument("ref", required=False)
@procfile_option
@env_option
@timeout_option
@phase_option
def deploy(
    *, ref: str | None, procfile: Path | None, env: str, timeout: float, phase: bool
) -> None:
    """Make a release of the code, and put it in place of what runs."""
    place = place_of(procfile, env)
    root = place.root
    chosen = code.of_commit(root, ref) if ref else code.working_tree(root)
    sys.exit(run(place, lambda one: one.code(chosen), timeout, phase=phase))


def run(
    place: Workplace, what: Callable[[Deploy], int], limit: float, *, phase: bool
) -> int:
    """Do what makes a release, and return the exit code.

    Args:
        place: where.
        what: a method of the deployment.
        limit: seconds that the release process may take.
        phase: whether it runs.
    """
    standard.fill()
    lifeline = guard.split()
    with ExitStack() as until_the_end:
        sink = Sink(standard.OUTPUT)
        until_the_end.callback(sink.close)
        signals = until_the_end.enter_context(Signals(lifeline))
        join(place, until_the_end)
        style = Style(colours=wants_colours(standard.OUTPUT, os.environ))
        before = Prefixes(["release.1"], style, local_time)
        printer = Printer(sink, before.lines, time.monotonic)
        plans = plans_of(place, style)
        state = State(place.state)
        store, trees = ReleaseStore(place.state), Trees(place.state)
        return what(Deploy(store, trees, plans, state, signals, printer, limit, phase))


def place_of(path: Path | None, env: str) -> Workplace:
    """Return the project that a command means."""
    files = env_files(env)
    return workplace.find(Path.cwd(), path, files, os.environ, override=False)


def plans_of(place: Workplace, style: Style) -> Plans:
    """Return how releases are run here, outside a session."""
    listed = procfile.read(place.procfile)
    base = environ.base_port(None, place.shared)
    plan = Plan(place.folder, place.shared, listed, base, (), style)
    return Plans(plan, place.root, place.procfile, place.state)


@click.command("releases:rollback")
@click.argument("version", required=False)
@procfile_option
@env_option
@timeout_option
@phase_option
def rollback(
    *, version: str | None, procfile: Path | None, env: str, timeout: float, phase: bool
) -> None:
    """Go back to a release, such as v12; by default to the one before the current.

    Its code, its config vars and its formation become a new release, and that takes
    over as flow deploy does it.
    """
    place = place_of(procfile, env)
    sys.exit(run(place, lambda one: one.back(version), timeout, phase=phase))
