"""What flow is told: the project's [tool.flow], the environment, the command line.

The only reader of the environment. Each part of flow gets a frozen dataclass that
was checked once, here; units stand beside the values.
"""

from __future__ import annotations

from flow.config.project import (
    Project,
    environment,
    find_project,
    with_app,
)
from flow.config.serving import WorkerConfig, worker
from flow.config.values import names

__all__ = [
    "Project",
    "WorkerConfig",
    "environment",
    "find_project",
    "names",
    "with_app",
    "worker",
]
