"""Looks at a Procfile and its .env files, and says all that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow import envfile
from flow.errors import ConfigError, ProcfileError
from flow.runner.declared import platforms, procfile
from flow.runner.declared.kind import kinds
from flow.runner.declared.settings import of_processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from flow.config import Project
    from flow.errors import EnvFileError
    from flow.runner.declared.procfile import Procfile


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Args:
        procfile: what could be read of it.
        errors: what keeps flow from starting it, each with its place.
        warnings: what a platform would refuse or change.
    """

    procfile: Procfile
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def check(
    path: Path,
    chosen: Sequence[Path],
    real: Mapping[str, str],
    *,
    override: bool,
    project: Project | None = None,
) -> Report:
    """Return what is wrong with a Procfile and its .env files.

    Args:
        path: the Procfile.
        chosen: the .env files; else those beside the Procfile.
        real: the environment that ``${NAME}`` is looked up in.
        override: the files win over ``real``.
        project: may have settings for process types.
    """
    listed, wrong, doubtful = _procfile(path)
    errors: list[EnvFileError] = []
    settings = envfile.settings(
        *(chosen or envfile.files(path.parent)),
        environ=real,
        required=bool(chosen),
        override=override,
        errors=errors,
    )
    return Report(
        listed,
        (*wrong, *map(str, errors), *_settings(path.parent, project, listed)),
        (*doubtful, *platforms.of_settings(settings)),
    )


def _procfile(path: Path) -> tuple[Procfile, list[str], list[str]]:
    source = str(path)
    try:
        text = procfile.content(path)
    except ProcfileError as error:
        return procfile.Procfile(source, ()), [str(error), *_misspelt(path)], []
    listed, mistakes = procfile.examine(text, source)
    doubts = platforms.of_procfile(listed)
    return (
        listed,
        [mistake.said(source) for mistake in mistakes],
        [doubt.said(source) for doubt in doubts],
    )


def _settings(folder: Path, project: Project | None, listed: Procfile) -> Iterator[str]:
    try:
        kinds(of_processes(folder, project), [one.name for one in listed.types], ())
    except ConfigError as error:
        yield str(error)


def _misspelt(path: Path) -> Iterator[str]:
    wanted = path.name.lower()
    for other in path.parent.iterdir() if path.parent.is_dir() else ():
        if other.name != path.name and other.name.lower() in (wanted, f"{wanted}.txt"):
            yield f"{other}: the name must be {path.name}, without an ending"
