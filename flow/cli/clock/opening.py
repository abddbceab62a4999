"""What the commands below ``flow clock`` begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flow.cli import options
from flow.registry import load_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.config import Project
    from flow.store.address import Address


def opened(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--app`` and ``--redis-url``."""
    return options.app(options.redis_url(command))


def open_app(app: str | None, redis_url: str | None) -> tuple[Project, Address]:
    """Load the app and find its server; what stands before the command counts too."""
    outer_app, outer_url = _before()
    project, address = options.open_app(app or outer_app, redis_url or outer_url)
    options.need_app(project)
    return project, address


def load_declared(app: str | None) -> None:
    """Load the app alone: what it declares needs no server."""
    outer_app, _ = _before()
    project = options.find_app(app or outer_app)
    options.need_app(project)
    load_app(project.app, project.root)


def _before() -> tuple[str | None, str | None]:
    context = click.get_current_context()
    before: tuple[str | None, str | None] | None = (
        context.parent.obj if context.parent else None
    )
    return before or (None, None)
