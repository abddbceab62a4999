"""The project: the folder of an app, and what its pyproject.toml and .env say."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from flow import envfile
from flow.config.values import boolean, choice, memory, names, whole, word
from flow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


ON_CRASH = ("retry", "fail")
START_METHODS = ("auto", "fork", "spawn")


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with an app: the nearest one upwards with a Procfile or [tool.flow].

    Args:
        root: the folder.
        app: the modules that declare tasks, in the order to import them.
        name: what schedules are kept under; two apps on one Redis need two names.
        urgent: the queue that is the urgent lane.
        queues: further queues that its workers serve.
        strict: run declared tasks only.
        on_crash: ``retry`` or ``fail``, for tasks that do not say it themselves.
        max_jobs: jobs after which a worker's process is replaced; 0: never.
        max_memory: bytes beyond which it is; 0: never.
        start_method: ``fork``, ``spawn`` or ``auto``.
        processes: settings per process type, for the runner.
    """

    root: Path
    app: tuple[str, ...] = ()
    name: str = "app"
    urgent: str = "urgent"
    queues: tuple[str, ...] = ()
    strict: bool = False
    on_crash: str = "retry"
    max_jobs: int = 0
    max_memory: int = 0
    start_method: str = "auto"
    processes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def state(self) -> Path:
        """The folder for what flow keeps beside the project: server, logs, sockets."""
        return self.root / ".flow"


def find_project(start: Path) -> Project | None:
    """Return the project that ``start`` lies in, or None.

    Raises:
        ConfigError: its [tool.flow] cannot be read.
    """
    here = start.absolute()
    for folder in (here, *here.parents):
        settings = _tool_flow(folder / "pyproject.toml")
        if settings is not None or (folder / "Procfile").is_file():
            return _project(folder, settings or {})
    return None


def _tool_flow(path: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    tool: object = document.get("tool", {})
    if not isinstance(tool, dict):
        raise ConfigError(f"{path}: [tool] is not a table")
    table = cast("dict[str, Any]", tool).get("flow")
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: [tool.flow] is not a table")
    return cast("dict[str, Any] | None", table)


def _project(root: Path, settings: dict[str, Any]) -> Project:
    where = f"{root / 'pyproject.toml'}: [tool.flow]"
    known = set(Project.__dataclass_fields__) - {"root"}
    if unknown := sorted(set(settings) - known):
        raise ConfigError(
            f"{where} has no setting {unknown[0]!r}; known: {', '.join(sorted(known))}"
        )
    app = names(settings.get("app", ()), f"{where} app")
    default_name = app[0].partition(".")[0] if app else "app"
    return Project(
        root=root,
        app=app,
        name=word(settings.get("name", default_name), f"{where} name"),
        urgent=word(settings.get("urgent", "urgent"), f"{where} urgent"),
        queues=names(settings.get("queues", ()), f"{where} queues"),
        strict=boolean(settings.get("strict", False), f"{where} strict"),
        on_crash=choice(
            settings.get("on_crash", "retry"), f"{where} on_crash", ON_CRASH
        ),
        max_jobs=whole(settings.get("max_jobs", 0), f"{where} max_jobs", least=0),
        max_memory=memory(settings.get("max_memory", "0"), f"{where} max_memory"),
        start_method=choice(
            settings.get("start_method", "auto"),
            f"{where} start_method",
            START_METHODS,
        ),
        processes=settings.get("processes", {}),
    )


def environment(project: Project | None) -> dict[str, str]:
    """Return what flow itself is told: the project's .env below the environment."""
    if project is None:
        return dict(os.environ)
    files = (project.root / ".env", project.root / ".env.local")
    return {**envfile.read(*files), **os.environ}


def with_app(project: Project, option: str | None) -> Project:
    """Return the project with the app that is named: ``--app``, FLOW_APP, [tool.flow].

    Raises:
        ConfigError: a name in it is none.
    """
    for text, where in (
        (option, "--app"),
        (environment(project).get("FLOW_APP"), "FLOW_APP"),
    ):
        if text:
            app = names(text, where)
            default = Project.__dataclass_fields__["name"].default
            name = app[0].partition(".")[0] if project.name == default else project.name
            return replace(project, app=app, name=name)
    return project
