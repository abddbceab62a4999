"""flow.workers: what runs jobs: the supervisor, its processes, and what they do.

The folder stands at the top of the repository but is imported below flow:
docs/decisions/0001 says why.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flow.workers.rq import Worker

if __name__ != "flow.workers":
    raise ImportError(
        f"this folder is flow.workers; import it by that name (found as {__name__!r})"
    )

__all__ = ["Worker"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - RQ is loaded by who needs it only
    if name != "Worker":
        raise AttributeError(f"module 'flow.workers' has no attribute {name!r}")
    return importlib.import_module("flow.workers.rq").Worker
