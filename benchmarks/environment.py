"""What contenders find in their environment."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What would give a worker another server, another app or another size.
TOLD = ("REDIS_URL", "RQ_", "FLOW_", "WEB_CONCURRENCY", "COVERAGE_", "PYTHON")


def of_contenders() -> dict[str, str]:
    """Return our environment without what would tell contenders something else."""
    ours = {name: it for name, it in os.environ.items() if not name.startswith(TOLD)}
    return {**ours, "PYTHONPATH": str(ROOT)}
