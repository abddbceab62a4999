"""Soft timeouts: a SoftTimeout is raised inside a job that runs too long.

In the main thread by SIGALRM, exact to the millisecond. In another thread by Python's
asynchronous exception: it arrives with the next bytecode, so never inside C code. On
the event loop by cancellation, which flow.workers.loop does.
"""

from __future__ import annotations

import ctypes
import inspect
import signal
import threading
from typing import TYPE_CHECKING, Any

from flow.errors import SoftTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

_handler_of = inspect.unwrap(signal.getsignal)  # without its detour by way of an enum
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
    if seconds < 0:
        return function(*args, **kwargs)
    if threading.current_thread() is threading.main_thread():
        return _alarm.call(seconds, function, args, kwargs)
    return _in_thread(seconds, function, args, kwargs)


class Alarm:
    """The one alarm clock that the kernel gives a process; for its main thread."""

    def __init__(self) -> None:
        """Start unarmed."""
        self._armed = False
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
                self._seconds, self._armed = seconds, True
                signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), AGAIN)
                return function(*args, **kwargs)
            finally:
                self._disarm()
        except SoftTimeout:
            # It may have rung inside the finally above, before that was through.
            self._disarm()
            raise

    def _disarm(self) -> None:
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        # A ring that was under way when the job ended belongs to nobody.
        if self._armed:
            raise SoftTimeout(text(self._seconds))


_alarm = Alarm()


def _in_thread(
    seconds: float,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:  # noqa: ANN401 - whatever the function returns
    thread, lock, ended = threading.get_ident(), threading.Lock(), threading.Event()

    def ring() -> None:
        with lock:
            if not ended.is_set():
                _raise_in(thread, SoftTimeout)

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    try:
        timer.start()
        try:
            return function(*args, **kwargs)
        finally:
            with lock:
                ended.set()
                # One that was raised but has not arrived must not hit the next job.
                _raise_in(thread, None)
            timer.cancel()
    except SoftTimeout:
        # It may have arrived before or after the call itself; it comes only once.
        raise SoftTimeout(text(seconds)) from None


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(error) if error else None
    )
