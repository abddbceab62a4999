"""``flow check``: what is wrong with the Procfile and .env, before it is deployed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow.cli.project import (
    env_files,
    env_option,
    override_option,
    procfile_option,
)
from flow.config import find_project
from flow.runner.declared.check import check as look
from flow.runner.declared.procfile import RELEASE
from flow.runner.environment import workplace
from flow.runner.releases.store import ReleaseStore

if TYPE_CHECKING:
    from flow.runner.declared.check import Report


@click.command()
@procfile_option
@env_option
@override_option
@click.option("--strict", is_flag=True, help="Exit with 1 for a warning, too.")
def check(*, procfile: Path | None, env: str, override: bool, strict: bool) -> None:
    """Say all that is wrong with the Procfile and .env, each with its line.

    Warnings are what Heroku, Kubernetes or heroku local would refuse or change.
    The exit code is 1 if there is an error, else 0.
    """
    here = Path.cwd()
    path = workplace.procfile_of(here, procfile)
    chosen = [here / file for file in env_files(env)]
    project = find_project(path.parent)
    release = ReleaseStore(workplace.state_of(here, procfile)).current()
    known = {**os.environ, **(release.config if release else {})}
    report = look(path, chosen, known, override=override, project=project)
    for text in report.errors:
        click.echo(f"error: {text}")
    for text in report.warnings:
        click.echo(f"warning: {text}")
    click.echo(_summary(path, report))
    if release and release.config:
        click.echo(
            f"config vars of {release.name}: {', '.join(sorted(release.config))}"
        )
    sys.exit(1 if report.errors or (strict and report.warnings) else 0)


def _summary(path: Path, report: Report) -> str:
    types = [entry.name for entry in report.procfile.types]
    release = ", and a release" if report.procfile.find(RELEASE) else ""
    found = f"{', '.join(types) or 'no process'}{release}"
    errors = _counted(len(report.errors), "error")
    return f"{path}: {found}; {errors}, {_counted(len(report.warnings), 'warning')}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
