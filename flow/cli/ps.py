"""``flow ps`` and its like: look at a running session and change it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from flow.cli.project import procfile_option
from flow.errors import SessionError
from flow.runner.control import listing
from flow.runner.control.client import Answer, Client, ask
from flow.runner.environment import workplace
from flow.runner.session.state import State


def state_of(procfile: Path | None) -> State:
    """Return where the session of this folder, or of that Procfile, answers."""
    return State(workplace.state_of(Path.cwd(), procfile))


@click.command()
@click.argument("process", nargs=-1)
@procfile_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def ps(*, process: tuple[str, ...], procfile: Path | None, as_json: bool) -> None:
    """Show the processes of the running session, or only some: web, web.1.

    State, since when, port, memory with all that it has started, and how often it
    was started again.
    """
    found = ask(state_of(procfile), "ps")["dynos"]
    shown = _chosen(found, process)
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    for line in listing.lines(shown, datetime.now().astimezone()):
        click.echo(line)


def _chosen(dynos: list[Answer], names: tuple[str, ...]) -> list[Answer]:
    known = {name for dyno in dynos for name in (dyno["name"], dyno["type"])}
    for name in names:
        if name not in known:
            raise SessionError(f"no process {name!r} runs here")
    return [
        dyno
        for dyno in dynos
        if not names or dyno["name"] in names or dyno["type"] in names
    ]


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("change", nargs=-1)
@procfile_option
def scale(*, change: tuple[str, ...], procfile: Path | None) -> None:
    """Change how many of a type run: web=2 worker+1 clock-1.

    Without a change it prints the formation, in a form that it takes. What was
    scaled starts so the next time.
    """
    answer = ask(state_of(procfile), "scale", names=list(change))
    if not change:
        click.echo(listing.formation(answer["formation"]))
        return
    now = ", ".join(f"{name} at {n}" for name, n in answer["changed"].items())
    click.echo(f"Scaling dynos... done, now running {now}")
    for doubt in answer["doubts"]:
        click.echo(f"flow: {doubt}", err=True)


@click.command()
@click.argument("process", nargs=-1)
@procfile_option
def restart(*, process: tuple[str, ...], procfile: Path | None) -> None:
    """Restart all processes, those of a type, or one: web, web.1.

    Each gets TERM and its grace; then it starts with the command that the Procfile
    has now.
    """
    names = ask(state_of(procfile), "restart", names=list(process))["dynos"]
    click.echo(f"Restarting {', '.join(names)}... done")


@click.command("ps:stop")
@click.argument("process", nargs=-1, required=True)
@procfile_option
def stop_dynos(*, process: tuple[str, ...], procfile: Path | None) -> None:
    """Stop a type or one process: web, web.1. It stays down.

    ps:restart or ps:scale starts it again.
    """
    names = ask(state_of(procfile), "stop", names=list(process))["dynos"]
    click.echo(f"Stopping {', '.join(names)}... done")


@click.command()
@procfile_option
def stop(*, procfile: Path | None) -> None:
    """End the running session, and wait until nothing of it is left."""
    with Client(state_of(procfile)) as client:
        client.ask("quit")
        while client.read():
            """Wait for the end of the connection: that is the session's."""
    click.echo("the session has ended")
