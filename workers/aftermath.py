"""Aftermath: what is left to do for a dead letter whose process died.

A failure callback runs in the process of its job, before the outcome is written. When
that process is dead, whoever recovers its job writes the outcome, and enqueues a call
of ``tell`` in the same step: some worker runs the callback, and none is forgotten.
"""

from __future__ import annotations

from flow.workers import callbacks


def tell(job_id: str, text: str) -> None:
    """Run the failure callback and send the webhooks of a dead letter.

    Args:
        job_id: the dead letter.
        text: how its process ended.
    """
    callbacks.lost(job_id, text)
