"""Where a command was typed: the Procfile it means, and the environment there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.config import find_project
from flow.runner.environment import environ
from flow.runner.releases.store import ReleaseStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flow.config import Project
    from flow.runner.releases.release import Release

REDIS_URL = "REDIS_URL"


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder to run processes in.

    Args:
        procfile: its Procfile, which need not exist.
        project: the project that the folder belongs to, if any.
        shared: the environment of all processes, without the config vars.
        release: the current release, if there is one; it has the config vars.
        redis_from: where REDIS_URL is from, in words; or empty.
    """

    procfile: Path
    project: Project | None
    shared: dict[str, str]
    release: Release | None
    redis_from: str

    @property
    def folder(self) -> Path:
        """The working folder of the processes: the one that the Procfile is in."""
        return self.procfile.parent

    @property
    def root(self) -> Path:
        """The folder whose files are the code."""
        return self.project.root if self.project else self.folder

    @property
    def state(self) -> Path:
        """The folder for what a session keeps: of the project, or beside the file."""
        return self.project.state if self.project else self.folder / ".flow"

    @property
    def config(self) -> Mapping[str, str]:
        """The config vars."""
        return self.release.config if self.release else dict[str, str]()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of all processes."""
        return environ.with_config(self.shared, self.config)

    @property
    def app(self) -> str:
        """The app's modules, or an empty text: then no job is ever run here."""
        configured = self.project.app if self.project else ()
        return ",".join(configured) or self.environ.get("FLOW_APP", "")


def procfile_of(here: Path, named: Path | None) -> Path:
    """Return the Procfile that a command typed in ``here`` means; it need not exist.

    Args:
        here: the folder of the command.
        named: the Procfile that was named, if any.

    Raises:
        ConfigError: [tool.flow] is wrong.
    """
    if named is not None:
        return named.absolute()
    project = find_project(here)
    return (project.root if project else here) / "Procfile"


def state_of(here: Path, named: Path | None) -> Path:
    """Return the folder in which the session that a command means keeps its state.

    Args:
        here: the folder of the command.
        named: the Procfile that was named, if any.

    Raises:
        ConfigError: [tool.flow] is wrong.
    """
    folder = procfile_of(here, named).parent
    project = find_project(folder)
    return project.state if project else folder / ".flow"


def find(
    here: Path,
    procfile: Path | None,
    files: Sequence[Path],
    real: Mapping[str, str],
    *,
    override: bool,
) -> Workplace:
    """Return the workplace that a command typed in ``here`` means.

    Args:
        here: the folder of the command.
        procfile: the Procfile that was named; else the project's.
        files: the .env files that were named; else those beside the Procfile.
        real: the environment of the command.
        override: the files win over ``real``.

    Raises:
        ConfigError: [tool.flow] or a .env file is wrong.
        ReleaseError: the current release cannot be read.
    """
    project = find_project(here if procfile is None else procfile.absolute().parent)
    root = project.root if project else here
    path = root / "Procfile" if procfile is None else procfile.absolute()
    chosen = [here / file for file in files]
    state = project.state if project else path.parent / ".flow"
    release = ReleaseStore(state).current()
    config = release.config if release else None
    shared = environ.load(path.parent, chosen, real, override=override, config=config)
    source = ""
    if release and release.config.get(REDIS_URL):
        source = "the config vars"
    elif url := shared.get(REDIS_URL):
        source = "the environment" if url == real.get(REDIS_URL) else "the .env file"
    return Workplace(path, project, shared, release, source)
