"""A job of RQ's style that returns ``rq.Retry``: it asks to run again.

With RQ's meaning (``handle_job_retry`` of its worker): ``max`` counts what was returned
alone, in the job's ``number_of_retries``, and no retry for an error. No callback hears
of it, neither one for success nor one for failure.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from flow import codec
from flow.errors import InvalidCall
from flow.outcome import Ending, Outcome
from flow.workers import callbacks

if TYPE_CHECKING:
    from flow.record import Claim

UNPACKABLE = "Unserializable return value"  # RQ's words for a result it cannot store


def asks(value: object) -> bool:
    """Whether a job returned RQ's ``Retry``; loads nothing of RQ's."""
    # Who returns one has imported its module.
    return (
        value is not None
        and (module := sys.modules.get("rq.job")) is not None
        and isinstance(value, module.Retry)
    )


def outcome(claim: Claim, asked: Any, span: tuple[float, float]) -> Outcome:  # noqa: ANN401 - RQ's Retry
    """Return the outcome of a job that returned RQ's ``Retry``.

    Args:
        claim: the execution.
        asked: what it returned.
        span: when it started and ended, unix seconds.

    Raises:
        Exception: what it returned says no number of tries or of seconds.
    """
    before = callbacks.asked_before(claim)
    packed, ttl, tries = _packed(asked), claim.failure_ttl, f"{before} of {asked.max}"
    if before >= asked.max:
        why = f"it returned Retry, and has used {tries} retries"
        return Outcome(claim, Ending.EXHAUSTED, *span, packed, ttl, error=why)
    delay = float(asked.get_interval(before, asked.intervals))
    if not math.isfinite(delay):
        raise ValueError(f"the job returned a Retry in {delay} s, which is no delay")
    ending = Ending.RETURNED_FIRST if asked.enqueue_at_front else Ending.RETURNED
    why = f"it returned Retry, after {tries} retries"
    return Outcome(claim, ending, *span, packed, ttl, max(0.0, delay), why)


def _packed(asked: object) -> bytes:
    try:
        return codec.pack_result(asked)
    except InvalidCall:
        return codec.pack_result(UNPACKABLE)  # JSON cannot hold one
