"""``flow redis``: the server of the project, by hand."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow.config import environment, find_project
from flow.errors import ConfigError, ServerUnreachable
from flow.store import embedded
from flow.store.embedded.report import report

if TYPE_CHECKING:
    from flow.config import Project
    from flow.store.embedded import Server

STOPS = (signal.SIGINT, signal.SIGTERM)
UNITS = {"uptime": "s", "memory": "bytes", "disk": "bytes"}


@click.group()
def redis() -> None:
    """Start, find or inspect the server in the project's .flow."""


@redis.command()
def start() -> None:
    """Start the server, or join it, and keep it up until Ctrl-C."""
    project = _project()
    if not project.app and not environment(project).get("FLOW_APP"):
        raise ConfigError(
            f"the project in {project.root} has no app; name the modules of its tasks "
            'in pyproject.toml, [tool.flow] app = "shop.tasks", or in FLOW_APP'
        )
    server = embedded.start(project.state)
    try:
        _stay(server)
    finally:
        server.leave()


@redis.command()
def url() -> None:
    """Print the address of the running server, for REDIS_URL."""
    with _running() as server:
        click.echo(server.url)


@redis.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(*, as_json: bool) -> None:
    """Print what the running server is and holds."""
    with _running() as server:
        lines = report(server)
    if as_json:
        click.echo(json.dumps(lines))
        return
    for name, value in lines.items():
        click.echo(f"{name:<8} {value} {UNITS.get(name, '')}".rstrip())


def _project() -> Project:
    project = find_project(Path.cwd())
    if project is None:
        raise ConfigError(
            f"no project in {Path.cwd()} or above it; a project is a folder with a "
            "Procfile, or with a pyproject.toml that has [tool.flow]"
        )
    return project


def _running() -> Server:
    project = _project()
    server = embedded.join(project.state)
    if server is None:
        click.echo(
            f"flow: no server runs in {project.state}; "
            "start one with flow start or flow redis start",
            err=True,
        )
        sys.exit(1)
    return server


def _stay(server: Server) -> None:
    # Blocked before the address is printed: who reads it may stop us at once.
    # A signal that is ignored, as nohup and & in a script do, stays so.
    stops = {stop for stop in STOPS if signal.getsignal(stop) is not signal.SIG_IGN}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops | {signal.SIGUSR1})
    ended = threading.Event()
    threading.Thread(target=_watch, args=(server, ended), daemon=True).start()
    click.echo(server.url)
    click.echo("flow: the server is up until Ctrl-C", err=True)
    signal.sigwait(stops | {signal.SIGUSR1})
    if ended.is_set():
        raise ServerUnreachable(f"the server in {server.state} has ended; see its log")


def _watch(server: Server, ended: threading.Event) -> None:
    server.wait()
    ended.set()
    os.kill(os.getpid(), signal.SIGUSR1)
