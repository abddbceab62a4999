"""``flow init``: proposes a Procfile for the folder, and never overwrites one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flow.config import environment, find_project
from flow.errors import ProcfileError
from flow.runner.declared import procfile
from flow.runner.proposals import languages, python_apps

if TYPE_CHECKING:
    from flow.runner.proposals.proposal import Proposal

TASKS_RUN_BY = "flow worker"
ORDER = ("release", "web", "worker", "urgentworker", "clock")


@click.command()
@click.option("--dry-run", is_flag=True, help="Print it and write nothing.")
def init(*, dry_run: bool) -> None:
    """Look at this folder and write a Procfile for what is in it.

    The language is found in Heroku's order; the tasks and schedules of a flow app
    get a worker and a clock. A Procfile that is there is never changed. Where nothing
    names the tasks' modules, a pyproject.toml does, or you hear what to add to yours.
    """
    folder = Path.cwd()
    path = folder / "Procfile"
    language = languages.detect(folder)
    if language is None:
        known = ", ".join(language.name for language in languages.LANGUAGES)
        raise ProcfileError(
            f"{folder} holds none of the languages known ({known});"
            " write a Procfile such as: web: ./server"
        )
    commands = language.propose(folder)
    text = _text(commands, language.name)
    if not dry_run:
        _write(path, text)
        click.echo(
            f"{path} for {language.name}; look it over, then: flow start", err=True
        )
    if commands.get("worker") == TASKS_RUN_BY and not _names_an_app(folder):
        _name_app(folder, dry_run=dry_run)
    click.echo(text, nl=False)


def _names_an_app(folder: Path) -> bool:
    project = find_project(folder)
    # One further up is not that of the Procfile in this folder.
    named = project is not None and project.root == folder and bool(project.app)
    return named or bool(environment(project).get("FLOW_APP"))


def _name_app(folder: Path, *, dry_run: bool) -> None:
    """Write where the tasks are, or say it where a pyproject.toml is there already."""
    modules = python_apps.look(folder).tasks
    named = json.dumps(modules[0] if len(modules) == 1 else modules)
    lines = f"[tool.flow]\napp = {named}\n"
    path = folder / "pyproject.toml"
    if dry_run or os.path.lexists(path):
        said = f"workers find the tasks by these lines in pyproject.toml:\n\n{lines}"
    else:
        _write(path, lines)
        said = f"{path} names the app: {', '.join(modules)}"
    click.echo(said, err=True)


def _text(commands: Proposal, language: str) -> str:
    lines = [f"{name}: {commands[name]}" for name in ORDER if name in commands]
    text = "".join(f"{line}\n" for line in lines)
    if not any(name != procfile.RELEASE for name in commands):
        raise ProcfileError(
            f"this is {language}, but what to start is not to be seen;"
            " write a Procfile such as: web: python app.py"
        )
    procfile.parse(text, "the proposal")  # what we write, we can read
    return text


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ProcfileError(
            f"{path} is there already and is never overwritten; see flow init --dry-run"
        ) from None
    except OSError as error:
        raise ProcfileError(f"{path}: {error.strerror}") from error
