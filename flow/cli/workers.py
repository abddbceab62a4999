"""flow workers: who lives and what they do; has one finish and take nothing new."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow import config
from flow.cli import options
from flow.cli.clock.wording import table
from flow.errors import FlowError
from flow.store import fleet
from flow.store.address import find_server
from flow.store.client import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.store.fleet import Order, Seen

ANSWERS = 15.0  # seconds for a worker that beats every 3 s to say that it has obeyed
LOOK = 0.1  # seconds between two looks
MOST = 10  # names that an error tells
HEAD = ("NAME", "PID", "STATE", "RUNNING", "DONE", "FAILED", "BEAT", "QUEUES")
HELP = """Show the workers that live: flow's and RQ's own.

\b
flow workers quiet NAME     it finishes what runs, and takes nothing new
flow workers resume NAME    it takes jobs again

NAME may be the beginning of a name, if only one begins so.
"""


def _store(redis_url: str | None) -> Store:
    return Store(find_server(redis_url, config.find_project(Path.cwd())))


@click.command(help=HELP, short_help="Show the workers that live.")
@options.redis_url
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def workers(*, redis_url: str | None, as_json: bool) -> None:
    """Print the workers that live."""
    found = fleet.workers(_store(redis_url))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    elif found:
        click.echo(table(HEAD, [_row(one, time.time()) for one in found]))
    else:
        click.echo("no worker lives")


@click.command("workers:quiet")
@click.argument("name")
@options.redis_url
def quiet(*, name: str, redis_url: str | None) -> int:
    """Have the worker NAME finish what runs, and take nothing new.

    It goes on to live and to beat, until it is stopped or resumed. SIGTSTP to its
    process does the same.
    """
    return _tell(_store(redis_url), name, "quiet")


@click.command("workers:resume")
@click.argument("name")
@options.redis_url
def resume(*, name: str, redis_url: str | None) -> int:
    """Have the worker NAME take jobs again."""
    return _tell(_store(redis_url), name, "resume")


def _tell(store: Store, name: str, order: Order) -> int:
    one = find(fleet.workers(store), name)
    if one.engine != "flow":
        raise FlowError(
            f"{one.name} is a worker of RQ's own, which cannot be told to rest; "
            "rq suspend has all workers rest"
        )
    if not fleet.order(store, one.name, order) or not _obeys(store, one.name, order):
        click.echo(f"{one.name} was told, and does not answer", err=True)
        return 1
    says = "takes nothing new" if order == "quiet" else "takes jobs"
    click.echo(f"{one.name} {says}")
    return 0


def _obeys(store: Store, name: str, order: Order) -> bool:
    """Wait until the worker shows that it has obeyed; it shows so with a beat."""
    pause, until = threading.Event(), time.monotonic() + ANSWERS
    while time.monotonic() < until:
        state = fleet.state(store, name)
        if state is None:
            return False
        if (state == "suspended") == (order == "quiet"):
            return True
        pause.wait(LOOK)
    return False


def find(living: Sequence[Seen], name: str) -> Seen:
    """Return the worker of that name, or the only one whose name begins so.

    Raises:
        FlowError: there is none, or there are several.
    """
    exact = [one for one in living if one.name == name]
    near = exact or [one for one in living if name and one.name.startswith(name)]
    if len(near) == 1:
        return near[0]
    if near:
        raise FlowError(f"{len(near)} workers begin so: {_names(near)}")
    alive = f"living: {_names(living)}" if living else "none lives"
    raise FlowError(f"there is no worker {name!r}; {alive}")


def _names(some: Sequence[Seen]) -> str:
    names = ", ".join(one.name for one in some[:MOST])
    return f"{names} and {len(some) - MOST} more" if len(some) > MOST else names


def _row(one: Seen, now: float) -> tuple[str, ...]:
    beat = "-" if one.beat is None else f"{max(0.0, now - one.beat):.0f} s ago"
    counts = (str(one.running), str(one.done), str(one.failed))
    state = one.state if one.engine == "flow" else f"{one.state} (RQ's)"
    return one.name, str(one.pid), state, *counts, beat, ", ".join(one.queues)
