"""``flow logs``: what the processes wrote."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from flow.cli.project import procfile_option
from flow.cli.ps import state_of
from flow.errors import SessionError
from flow.runner.control.client import Client
from flow.runner.output import journal
from flow.runner.output.follower import Follower
from flow.runner.output.standard import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flow.runner.session.state import State


@click.command()
@click.option("-t", "--tail", is_flag=True, help="Go on as the log grows.")
@click.option("-d", "--dyno", default="", help="Only of web.1, or of all of web.")
@click.option(
    "-n",
    "--num",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="How many lines.",
)
@click.option(
    "-s",
    "--source",
    type=click.Choice(["app", "flow"]),
    help="Only what the processes wrote, or what flow says of them.",
)
@procfile_option
def logs(
    *, tail: bool, dyno: str, num: int, source: str | None, procfile: Path | None
) -> None:
    """Print the last lines that the processes wrote, each with time and process.

    They are in .flow/log, also after the session has ended.
    """
    state = state_of(procfile)
    accept = chosen(dyno, source)
    if tail:
        _follow(state, num, accept)
        return
    if not any((state.log / name).exists() for name in journal.names()):
        raise SessionError(f"there is no log in {state.log}; flow start writes one")
    _print(journal.tail(state.log, num, accept))


def chosen(dyno: str, source: str | None) -> Callable[[bytes], bool]:
    """Return what says whether a line of the log is wanted.

    Args:
        dyno: the process or the type it is to be of; empty: any.
        source: who wrote it, ``app`` or ``flow``; None: either.
    """
    writer = (source or "").encode()
    one, several = f"[{dyno}]:".encode(), f"[{dyno}.".encode()

    def accept(line: bytes) -> bool:
        _, _, after = line.partition(b" ")
        source = after.partition(b" ")[0]
        if not source.startswith(writer):
            return False
        return not dyno or source.endswith(one) or several in source

    return accept


def _follow(state: State, num: int, accept: Callable[[bytes], bool]) -> None:
    with Client(state) as client:
        client.ask("follow")
        with closing(Follower(state.log)) as follower:
            _print(journal.tail(state.log, num, accept))
            while True:
                woken = client.read()
                _print(filter(accept, follower.lines()))
                if not woken:
                    return  # the session has ended, and all of it is shown


def _print(lines: Iterable[bytes]) -> None:
    sys.stdout.flush()
    data = b"".join(lines)
    while data:
        data = data[os.write(OUTPUT, data) :]
