"""``flow env``: what a process would get, and where each value is from."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow import envfile
from flow.cli.project import (
    env_files,
    env_option,
    override_option,
    port_option,
    procfile_option,
)
from flow.cli.run import join
from flow.runner.declared import procfile
from flow.runner.declared.formation import Instance, instances
from flow.runner.environment import environ, origin, workplace
from flow.runner.environment.workplace import REDIS_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.runner.environment.origin import Value
    from flow.runner.environment.workplace import Workplace


@click.command()
@click.argument("process", required=False)
@procfile_option
@env_option
@port_option
@override_option
@click.option("--all", "whole", is_flag=True, help="Show what is only passed on, too.")
@click.option("--show-secrets", is_flag=True, help="Hide nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def env(  # noqa: PLR0913 - click gives one argument per option
    *,
    process: str | None,
    procfile: Path | None,
    env: str,
    port: int | None,
    override: bool,
    whole: bool,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Print the environment of PROCESS, or of flow run, and each value's origin.

    What looks like a secret is hidden: by its name, or as the password of a URL.
    """
    here = Path.cwd()
    files = env_files(env)
    place = workplace.find(here, procfile, files, os.environ, override=override)
    chosen = [here / file for file in files] or envfile.files(place.folder)
    found = _values(place, process, port, chosen, override=override)
    shown = [value for value in found if whole or value.origin != origin.REAL]
    if not show_secrets:
        shown = [origin.masked(value) for value in shown]
    click.echo(_as_json(shown) if as_json else _as_text(shown, place.folder))


def _values(
    place: Workplace,
    process: str | None,
    port: int | None,
    files: list[Path] | tuple[Path, ...],
    *,
    override: bool,
) -> Iterator[Value]:
    base = environ.base_port(port, place.environ)
    one = Instance("run", 1, "", base)
    if process is not None:
        one = instances(procfile.read(place.procfile), (process,), {}, base)[0]
    known = {**os.environ, **place.config}
    settings = envfile.settings(*files, environ=known, override=override)
    with ExitStack() as until_it_is_read:
        join(place, until_it_is_read)
        grace = environ.GRACE if process else None  # nobody counts for flow run
        own = environ.of(one, place.environ, grace)
    layers = origin.Layers(place.release, os.environ, settings, override=override)
    for value in origin.values(own, layers):
        if value.name == REDIS_URL and not place.redis_from:
            yield value._replace(origin="the project's own server")
        else:
            yield value


def _as_json(values: list[Value]) -> str:
    table = {
        value.name: {"value": value.text, "origin": value.origin} for value in values
    }
    return json.dumps(table, indent=2, ensure_ascii=False)


def _as_text(values: list[Value], folder: Path) -> str:
    lines = [
        (f"{value.name}={_printable(value.text)}", value.origin) for value in values
    ]
    width = min(60, max((len(line) for line, _ in lines), default=0))
    return "\n".join(
        f"{line:{width}}  # {where.replace(f'{folder}/', '')}" for line, where in lines
    )


def _printable(text: str) -> str:
    # A line break or an escape sequence would show something that is not there.
    return text if text.isprintable() else json.dumps(text)
