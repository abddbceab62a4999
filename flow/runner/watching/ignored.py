"""Which files say nothing about the code of a project, however often they change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePath

EVERYWHERE = frozenset(("__pycache__", "node_modules"))
# What programs keep beside their code; deeper down these are names like any other.
AT_THE_TOP = frozenset(("log", "logs", "media", "tmp", "venv"))
FILES = re.compile(
    r"\..*"  # .git, .venv, .flow, .env (read at the start only), swap files of vim
    r"|.*\.py[cod]"
    r"|.*\.(?:db|sqlite3?)(?:-(?:journal|shm|wal))?"
    r"|.*\.(?:log|pid|sock|tmp|swp|swx)"
    r"|.*~|#.*#|4913",  # copies of editors; vim tries whether it can write 4913
    re.DOTALL,
)


def is_ignored(path: PurePath) -> bool:
    """Return whether a change of this file restarts nothing.

    Args:
        path: from the folder that is watched.
    """
    parts = path.parts
    return (
        not EVERYWHERE.isdisjoint(parts)
        or not AT_THE_TOP.isdisjoint(parts[:1])
        or any(map(FILES.fullmatch, parts))
    )
