"""flow.workers: what runs jobs: the supervisor, its processes, and what they do.

The folder stands at the top of the repository but is imported below flow:
docs/decisions/0001 says why.
"""

from __future__ import annotations

if __name__ != "flow.workers":
    raise ImportError(
        f"this folder is flow.workers; import it by that name (found as {__name__!r})"
    )
