"""Options and steps that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow import config, log
from flow.errors import ConfigError, NoServer
from flow.registry import load_app
from flow.store import current
from flow.store.address import find_server
from flow.store.client import Store

if TYPE_CHECKING:
    from flow.config import Project
    from flow.store.address import Address

app = click.option(
    "--app",
    metavar="MODULES",
    help="The modules that declare tasks, with commas; by default [tool.flow] app.",
)
redis_url = click.option(
    "--redis-url", metavar="URL", help="The Redis to use; by default REDIS_URL."
)
log_level = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to write to the log; warning leaves out the jobs that went well.",
)


def open_app(modules: str | None, redis_url: str | None) -> tuple[Project, Address]:
    """Load the app and find its server, as every role of the queue does.

    Raises:
        ConfigError: no app is named.
        AppError: it cannot be loaded.
        NoServer: no Redis is named and none runs here.
    """
    project = find_app(modules)
    address = _server(redis_url, project)
    current.use(Store(address), project)
    load_app(project.app, project.root)
    return project, address


def find_app(modules: str | None) -> Project:
    """Return the project of the working folder; its app is not loaded yet."""
    project = config.find_project(Path.cwd()) or config.Project(Path.cwd())
    return config.with_app(project, modules)


def _server(redis_url: str | None, project: Project) -> Address:
    try:
        return find_server(redis_url, project)
    except NoServer:
        # Without an app flow start brings no server either: first things first.
        need_app(project)
        raise


def level(name: str) -> None:
    """Write the log from this level on."""
    log.set_up(name)


def need_app(project: Project) -> None:
    """Refuse to go on without an app.

    Raises:
        ConfigError: none is named.
    """
    if not project.app:
        raise ConfigError(
            'no app is named; write [tool.flow] app = "package.module" in '
            "pyproject.toml, or set FLOW_APP, or give --app"
        )
