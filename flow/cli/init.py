"""``flow init``: proposes a Procfile for the folder, and never overwrites one."""

from __future__ import annotations

from pathlib import Path

import click

from flow.errors import ProcfileError
from flow.runner.declared import procfile
from flow.runner.proposals import languages

ORDER = ("release", "web", "worker", "urgentworker", "clock")


@click.command()
@click.option("--dry-run", is_flag=True, help="Print it and write nothing.")
def init(*, dry_run: bool) -> None:
    """Look at this folder and write a Procfile for what is in it.

    The language is found in Heroku's order; the tasks and schedules of a flow app
    get a worker and a clock. A Procfile that is there is never changed.
    """
    folder = Path.cwd()
    path = folder / "Procfile"
    language = languages.detect(folder)
    if language is None:
        known = ", ".join(language.name for language in languages.LANGUAGES)
        raise ProcfileError(f"{folder} holds none of the languages known: {known}")
    text = _text(language.propose(folder), language.name)
    if not dry_run:
        _write(path, text)
        click.echo(
            f"{path} for {language.name}; look it over, then: flow start", err=True
        )
    click.echo(text, nl=False)


def _text(commands: languages.Proposal, language: str) -> str:
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
