"""Soft timeouts and stops: an error is raised inside a job that is to end.

SoftTimeout in one that runs too long, JobStopped in one that somebody stopped. In the
main thread by SIGALRM, exact to the millisecond. In another thread by Python's
asynchronous exception: it arrives with the next bytecode, so never inside C code. On
the event loop by cancellation, which flow.workers.loop does.
"""

from __future__ import annotations

import ctypes
import importlib
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from flow.errors import JobStopped, SoftTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

# What signal.getsignal wraps: its detour by way of an enum takes as long as a job.
_handler_of: Callable[[int], Any] = importlib.import_module("_signal").getsignal

STOPPED = "stopped on request"
SPARED = 0.5  # seconds in which a call that was stopped may put things in order
AGAIN = 1.0  # seconds after which a timeout that was swallowed is raised again


def text(seconds: float) -> str:
    """Return RQ's sentence for a job that ran longer than ``seconds``."""
    return f"Task exceeded maximum timeout value ({seconds:g} seconds)"


def call(
    seconds: float,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:  # noqa: ANN401 - whatever the function returns
    """Return ``function(*args, **kwargs)``, unless it takes too long.

    Args:
        seconds: the limit; below 0 there is none.
        function: what to call.
        args: positional arguments.
        kwargs: named arguments.

    Raises:
        SoftTimeout: the limit has passed.
    """
    if threading.current_thread() is threading.main_thread():
        return _alarm.call(seconds, function, args, kwargs)
    return _in_thread(seconds, function, args, kwargs)


def under_way() -> list[tuple[Any, ...]]:
    """Return the arguments of every call that runs now, in any thread."""
    return _alarm.under_way() + [call.args for call in list(_calls.values())]


def stop(wanted: Callable[[tuple[Any, ...]], bool]) -> None:
    """Raise JobStopped inside the calls whose arguments are ``wanted``.

    For a signal handler in the main thread: a call that runs there is left by the
    error that this raises.

    Raises:
        JobStopped: the main thread's call is wanted.
    """
    for call in list(_calls.values()):
        if wanted(call.args):
            call.stop()
    _alarm.stop(wanted)


class Alarm:
    """The one alarm clock that the kernel gives a process; for its main thread."""

    def __init__(self) -> None:
        """Start unarmed."""
        self._call: tuple[Any, ...] | None = None  # the arguments of what runs
        self._stopped: tuple[Any, ...] | None = None  # of the last that was stopped
        self._stopped_at = 0.0
        self._seconds = 0.0
        self._handler = self._ring  # one object, to compare

    def call(
        self,
        seconds: float,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """Call with the alarm set; it never rings after this has returned."""
        try:
            try:
                # Each time: the job before may have taken the signal for itself.
                if _handler_of(signal.SIGALRM) is not self._handler:
                    signal.signal(signal.SIGALRM, self._handler)
                self._seconds, self._call = seconds, args
                if seconds >= 0:
                    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), AGAIN)
                return function(*args, **kwargs)
            finally:
                self._disarm()
        except BaseException as error:
            # It may have rung inside the finally above, before that was through.
            self._disarm()
            # What a job makes of a stop is a stop.
            if self._stopped is args and not isinstance(error, JobStopped):
                raise JobStopped(STOPPED) from error
            raise

    def under_way(self) -> list[tuple[Any, ...]]:
        """Return the arguments of the call that runs, if one does."""
        call = self._call
        return [] if call is None else [call]

    def stop(self, wanted: Callable[[tuple[Any, ...]], bool]) -> None:
        """Leave the call that runs, if its arguments are wanted."""
        if self._call is None or not wanted(self._call):
            return
        now = time.monotonic()
        if self._stopped is not self._call or now - self._stopped_at > SPARED:
            self._stopped, self._stopped_at = self._call, now
            raise JobStopped(STOPPED)

    def _disarm(self) -> None:
        self._call = None
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        # A ring that was under way when the job ended belongs to nobody.
        if self._call is not None:
            raise SoftTimeout(text(self._seconds))


_alarm = Alarm()


class ThreadCall:
    """A call that runs in a thread which is not the main one.

    Args:
        args: its arguments.
    """

    def __init__(self, args: tuple[Any, ...]) -> None:
        """Run in this thread."""
        self.args = args
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._ended = False
        self._stopped_at = float("-inf")

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it."""
        return self._stopped_at > 0

    def ring(self) -> None:
        """Raise SoftTimeout inside it, unless it has ended."""
        self._raise(SoftTimeout)

    def stop(self) -> None:
        """Raise JobStopped inside it, unless it has ended."""
        now = time.monotonic()
        if now - self._stopped_at > SPARED:
            self._stopped_at = now
            self._raise(JobStopped)

    def end(self) -> None:
        """Raise nothing any more."""
        with self._lock:
            self._ended = True
            # One that was raised but has not arrived must not hit the next job.
            _raise_in(self._thread, None)

    def _raise(self, error: type[BaseException]) -> None:
        with self._lock:
            if not self._ended:
                _raise_in(self._thread, error)


_calls: dict[int, ThreadCall] = {}


def _in_thread(
    seconds: float,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:  # noqa: ANN401 - whatever the function returns
    call = _calls[threading.get_ident()] = ThreadCall(args)
    timer = threading.Timer(seconds, call.ring) if seconds >= 0 else None
    try:
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            return function(*args, **kwargs)
        finally:
            _end(call, timer)
    except BaseException as error:
        # It may have arrived inside the finally above, before that was through.
        _end(call, timer)
        if call.stopped:
            raise JobStopped(STOPPED) from error
        if isinstance(error, SoftTimeout):
            raise SoftTimeout(text(seconds)) from None
        raise


def _end(call: ThreadCall, timer: threading.Timer | None) -> None:
    call.end()
    if timer is not None:
        timer.cancel()
    _calls.pop(threading.get_ident(), None)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(error) if error else None
    )
