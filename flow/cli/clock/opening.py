"""What the commands below ``flow clock`` begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flow.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.config import Project
    from flow.store.address import Address


def opened(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--app`` and ``--redis-url``."""
    return options.app(options.redis_url(command))


def open_app(app: str | None, redis_url: str | None) -> tuple[Project, Address]:
    """Load the app and find its server; what stands before the command counts too."""
    context = click.get_current_context()
    before = context.parent.obj if context.parent else None
    outer_app, outer_url = before or (None, None)
    project, address = options.open_app(app or outer_app, redis_url or outer_url)
    options.need_app(project)
    return project, address
