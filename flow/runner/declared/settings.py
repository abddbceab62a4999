"""The settings of process types: ``[tool.flow.processes.web]``, or flow.toml."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, cast

from flow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flow.config import Project

FILE = "flow.toml"


def of_processes(folder: Path, project: Project | None) -> Mapping[str, Any]:
    """Return the table of each process type, as it is written.

    Args:
        folder: the Procfile's; a flow.toml in it has ``[processes.web]``.
        project: what pyproject.toml says.

    Raises:
        ConfigError: both say something, or flow.toml cannot be read.
    """
    told: object = project.processes if project else {}
    filed = _file(folder / FILE)
    if told and filed:
        raise ConfigError(
            f"{folder / FILE} and [tool.flow.processes] of pyproject.toml both describe"
            " processes; keep one of them"
        )
    found = filed or told
    if not isinstance(found, dict):
        raise ConfigError("[tool.flow] processes must be a table")
    return cast("dict[str, Any]", found)


def _file(path: Path) -> object:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if unknown := sorted(set(document) - {"processes"}):
        raise ConfigError(f"{path} has no setting {unknown[0]!r}; known: processes")
    return document.get("processes", {})
