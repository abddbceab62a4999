"""A module that a worker imports when a job of it comes."""

from __future__ import annotations

import flow

SEEN = flow.current_job()


def job_at_import() -> str | None:
    """Return the job that ran when this was imported; None is right."""
    return SEEN.id if SEEN else None
