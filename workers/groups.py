"""Groups of errors, which asyncio.TaskGroup raises, also where there was only one."""

from __future__ import annotations

from flow.errors import Discard, JobStopped, Retry, SoftTimeout, leaves

Kinds = tuple[type[BaseException], ...]
ENDS: Kinds = (JobStopped, SoftTimeout)  # whatever else was raised beside them
WORDS: Kinds = (Discard, Retry)  # where nothing else went wrong; the first is stronger


def meant(error: BaseException) -> BaseException:
    """Return what decides about a job that raised ``error``: itself, if no group.

    A job that was stopped or ran too long is that, whatever its other branches made of
    it. What it asks for itself counts if it raised nothing else.
    """
    raised = list(leaves(error))
    if raised[0] is error:
        return error
    asked = all(isinstance(one, WORDS) for one in raised)
    for kind in (*ENDS, *(WORDS if asked else ())):
        for one in raised:
            if isinstance(one, kind):
                return one
    return error
