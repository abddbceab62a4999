"""``flow run``: one command in the environment of the app's processes."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from flow.cli.project import (
    env_files,
    env_option,
    override_option,
    port_option,
    procfile_option,
)
from flow.runner.control import client
from flow.runner.declared import procfile as procfiles
from flow.runner.declared.formation import Instance, instances
from flow.runner.environment import environ, workplace
from flow.runner.environment.workplace import REDIS_URL, Workplace
from flow.runner.processes import oneoff
from flow.runner.processes.process import shell
from flow.runner.session.state import State
from flow.store import embedded
from flow.store.address import no_server

NOT_FOUND = 127  # exit codes of a shell
NOT_EXECUTABLE = 126

HELP = """Run one command in the environment that flow start gives its processes.

\b
flow run python manage.py shell      a program and its arguments, as they are
flow run 'echo $PORT | tr 0 o'       one text: a shell reads it
flow run release                     the command of that line of the Procfile

With --detach (or flow run:detached) it runs in the session of flow start, as run.1;
see flow logs -d run.

The terminal is the command's, and its exit code is returned. It runs in the folder
you are in; a line of the Procfile runs in the Procfile's. It starts no server, but
finds the one that flow start runs in this project. An app needs it, or REDIS_URL.
"""


@click.command(
    help=HELP,
    short_help="Run one command in the app's environment.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@procfile_option
@env_option
@port_option
@override_option
@click.option("--detach", is_flag=True, help="In the running session; do not wait.")
def run(
    *,
    command: tuple[str, ...],
    procfile: Path | None,
    env: str,
    port: int | None,
    override: bool,
    detach: bool,
) -> None:
    """Run one command in the environment that flow start gives its processes."""
    here = Path.cwd()
    if detach:
        _detach(workplace.state_of(here, procfile), command)
        return
    files = env_files(env)
    place = workplace.find(here, procfile, files, os.environ, override=override)
    base = environ.base_port(port, place.environ)
    program, *rest = command
    entry = None if rest else entry_named(place.procfile, program, base)
    one = entry or Instance("run", 1, program, base)
    with ExitStack() as until_it_has_ended:
        join(place, until_it_has_ended)
        own = environ.of(one, place.environ)
        arguments = [program, *rest] if rest else shell(one.command, own)
        try:
            code = oneoff.run(arguments, own, place.folder if entry else here)
        except OSError as error:
            click.echo(f"flow: {program}: {error.strerror}", err=True)
            missing = isinstance(error, FileNotFoundError)
            code = NOT_FOUND if missing else NOT_EXECUTABLE
    sys.exit(code)


@click.command(
    "run:detached",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@procfile_option
def detached(*, command: tuple[str, ...], procfile: Path | None) -> None:
    """Run one command in the session of flow start, as run.1; do not wait.

    The same as flow run --detach.
    """
    _detach(workplace.state_of(Path.cwd(), procfile), command)


def _detach(state: Path, command: tuple[str, ...]) -> None:
    text = command[0] if len(command) == 1 else shlex.join(command)
    name = client.ask(State(state), "run", command=text)["dyno"]
    click.echo(f"Running {text} in {name}; flow logs -d {name} shows what it says")


def entry_named(path: Path, word: str, base: int) -> Instance | None:
    """Return the process type or the release that a command of one word names.

    Raises:
        ProcfileError: the Procfile cannot be read.
    """
    if not path.exists():
        return None
    listed = procfiles.read(path)
    entry = listed.find(word)
    if entry is None:
        return None
    if entry.name == procfiles.RELEASE:
        return Instance(entry.name, 1, entry.command, base)
    return instances(listed, (word,), {}, base)[0]


def join(place: Workplace, until: ExitStack) -> None:
    """Be a user of the project's own server, if no other is named.

    Raises:
        NoServer: there is an app, whose commands would guess an address.
    """
    if place.redis_from:
        return
    server = embedded.join(place.project.state) if place.project else None
    if server is not None:
        place.shared[REDIS_URL] = until.enter_context(server).url
    elif place.app:
        raise no_server(place.project)
