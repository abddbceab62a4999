"""What came of one execution; the executor decides it, the store writes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow.record import Claim


class Ending(StrEnum):
    """How an execution ended; settle.lua knows the same words."""

    FINISHED = "finished"
    REPEATED = "repeated"  # it finished, and runs again as its Repeat says
    FAILED = "failed"
    RETRY = "retry"  # it failed and runs again, counted
    ASKED = "asked"  # it asked to run again: counted as a retry, but no failure
    RETURNED = "returned"  # it returned RQ's Retry: runs again, counted as RQ counts
    RETURNED_FIRST = "returned_first"  # likewise, before what waits
    EXHAUSTED = "exhausted"  # it returned RQ's Retry, and may not any more: a failure
    DISCARDED = "discarded"  # it gave itself up: canceled, with its reason
    POSTPONED = "postponed"  # its task is not known here yet; runs later, uncounted
    STOPPED = "stopped"  # somebody asked for its end while it ran
    INTERRUPTED = "interrupted"  # the worker stopped; runs again, uncounted


@dataclass(slots=True)  # not frozen: each job has one, and that costs
class Outcome:
    """One execution's end.

    Args:
        claim: the execution.
        ending: how it ended.
        started: unix seconds.
        ended: unix seconds.
        value: the packed result or the text of the failure, ready to store; empty
            for a result of None.
        ttl: seconds to keep what is stored; -1 for ever.
        delay: seconds before it runs again.
        error: the failure's last line, for the log; the reason of a discard.
    """

    claim: Claim
    ending: Ending
    started: float
    ended: float
    value: bytes = b""
    ttl: int = 0
    delay: float = 0.0
    error: str = ""
