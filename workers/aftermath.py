"""Aftermath: what is left to do for a dead letter whose process died.

A failure callback runs in the process of its job, before the outcome is written. When
that process is dead, whoever recovers its job writes the outcome, and enqueues a call
of ``tell`` in the same step: some worker runs the callback, and none is forgotten.
"""

from __future__ import annotations

from flow.workers import callbacks


def tell(job_id: str, text: str, how: str = "died") -> None:
    """Run the callback and send the webhooks of a job that ended with its process.

    Args:
        job_id: the job.
        text: how it ended.
        how: ``died``; or why it was killed: ``timeout`` or ``stopped``.
    """
    if how == "stopped":
        callbacks.was_stopped(job_id)
    else:
        callbacks.lost(job_id, text, how)
