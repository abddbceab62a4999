"""Every error that flow raises: one tree, each said in one sentence.

A message names what is wrong, which one, and what to do about it. The command
line prints it in one line and exits with 2.
"""

from __future__ import annotations


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
    """The job was cancelled, so it has no result."""


class SoftTimeout(BaseException):
    """A job ran longer than its timeout.

    Not an Exception, so that a job's own ``except Exception`` does not swallow it.
    """


class ServerNotStarted(FlowError):
    """The embedded server of the project did not start."""


class SessionError(FlowError):
    """No session of flow start runs here, or it cannot do what was asked."""


class ReleaseError(FlowError):
    """There is no such release, or none can be made now."""
