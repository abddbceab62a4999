"""Every error that flow raises: one tree, each said in one sentence.

A message names what is wrong, which one, and what to do about it. The command
line prints it in one line and exits with 2.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


class FlowError(Exception):
    """Something that flow can explain; every error of flow is one."""


class ConfigError(FlowError):
    """A setting is missing, unknown or has a value that cannot be."""


class EnvFileError(ConfigError):
    """A line of a .env file cannot be read."""


class ProcfileError(ConfigError):
    """The Procfile is missing, or a line of it cannot be read."""


class AppError(FlowError):
    """The app's modules cannot be loaded."""


class NoServer(FlowError):
    """No Redis is configured, and none runs in the project."""


class ServerUnreachable(FlowError):
    """The Redis that is configured does not answer."""


class SpoiltKey(FlowError):
    """A key of flow's in Redis holds what another program wrote there."""


class InvalidTask(FlowError):
    """A declaration contradicts itself, or a name is taken."""


class InvalidCall(FlowError):
    """The arguments of a job do not fit its task, or cannot be stored."""


class InvalidSchedule(FlowError):
    """A cron expression, an interval or a time zone is wrong."""


class NoSuchSchedule(FlowError):
    """The app has no schedule of that id."""


class NaiveDatetime(FlowError):
    """A datetime without a time zone was given where an instant is needed."""


class UnknownTask(FlowError):
    """A job names a task that this worker cannot find."""


class UnreadableJob(FlowError):
    """What Redis holds for a job is not a job."""


class NoSuchJob(FlowError):
    """Redis holds no job of that id: it never did, or it has expired."""


class JobFailed(FlowError):
    """The job ended with an error.

    Args:
        message: the last line of the failure, such as ``ValueError: no cat``.
        traceback: the whole text of the failure, as the worker stored it.
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        """Keep the failure's text beside its last line."""
        super().__init__(message)
        self.traceback = traceback
        if traceback:
            # Python shows it below an error that nobody caught.
            self.add_note(f"In the worker:\n{traceback.rstrip()}")


class JobCancelled(FlowError):
    """The job was cancelled, or discarded itself, so it has no result.

    Args:
        message: the sentence.
        reason: what the job gave to ``Discard``; None when somebody cancelled it.
    """

    def __init__(self, message: str, reason: str | None = None) -> None:
        """Keep the reason beside the sentence."""
        super().__init__(message)
        self.reason = reason


class SoftTimeout(BaseException):
    """A job ran longer than its timeout.

    Not an Exception, so that a job's own ``except Exception`` does not swallow it.
    """


class JobStopped(BaseException):
    """Somebody asked for the end of this job while it ran.

    Not an Exception, so that a job's own ``except Exception`` does not swallow it.
    """


class ServerNotStarted(FlowError):
    """The embedded server of the project did not start."""


class SessionError(FlowError):
    """No session of flow start runs here, or it cannot do what was asked."""


class ReleaseError(FlowError):
    """There is no such release, or none can be made now."""


class Retry(FlowError):
    """Raised inside a job, it has the job run again.

    It uses up one of the job's ``retries``; a job that has none may ask ten times.

    Args:
        why: for the log.
        after: seconds until it runs again, or a timedelta; None: the task's back-off.

    Raises:
        InvalidCall: ``why`` is no text, or ``after`` no time from 0 on.
    """

    def __init__(
        self, why: str = "", *, after: float | timedelta | None = None
    ) -> None:
        """Check them: a job that asks for nonsense fails by it."""
        if not isinstance(why, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidCall(
                f"Retry takes the reason, not {why!r}; seconds are Retry(after=60)"
            )
        super().__init__(why or "the job asked to run again")
        self.after = None if after is None else _seconds(after)


class Discard(FlowError):
    """Raised inside a job, it ends the job, which is then ``canceled`` and no failure.

    Args:
        why: kept with the job; ``Job.result`` and the log say it.

    Raises:
        InvalidCall: ``why`` is no text.
    """

    def __init__(self, why: str = "") -> None:
        """Check it."""
        if not isinstance(why, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidCall(f"Discard takes the reason, a text, not {why!r}")
        super().__init__(why)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Give the errors of a group, and those of groups in it; else the error itself."""
    left = [error]
    while left:
        one = left.pop()
        if isinstance(one, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", one)
            left += reversed(group.exceptions)
        else:
            yield one


def last_line(failure: str) -> str:
    """Return the line of a failure's text that names the error.

    A group of errors is drawn as a tree, whose last line is a part of its frame.
    """
    lines = failure.strip().split("\n")
    said = (line.lstrip(" |") for line in reversed(lines))
    return next((line for line in said if line.strip("+-")), "")


def _seconds(after: float | timedelta) -> float:
    seconds = after.total_seconds() if isinstance(after, timedelta) else after
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not number or not math.isfinite(seconds) or seconds < 0:
        raise InvalidCall(f"after is a number of seconds from 0 on, not {after!r}")
    return float(seconds)
