"""The line: plain jobs that this process has claimed and its main thread will run.

A claim brings the job that runs next and a few milliseconds of work behind it, judged
by how long jobs took lately. A job that turns out long must not hold up what stands
behind it: that is withdrawn, and goes back to the head of its queue.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.workers.resolve import Work

WORTH = 0.004  # seconds of work that a claim may bring beyond the next job
MOST = 64  # jobs that it may bring: a script call stays short
LONGEST = 0.05  # seconds that count of one long job, so that short ones are soon known
SHARE = 0.2  # of the latest job in what is expected of the next
PROMPT = 0.005  # seconds within which an outcome is sent
PATIENT = 0.010  # seconds a job may take before what is behind it goes back


class Line:
    """What the main thread runs, one after the other.

    Args:
        monotonic: the clock that jobs are measured on.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Start empty; how long jobs take is not known yet."""
        self._monotonic = monotonic
        self._works: deque[Work] = deque()
        self._filled = threading.Condition()
        self._closed = False
        self._expected = LONGEST
        self._of_task: dict[str, float] = {}
        self._open = True  # whether its last job has shown to be short
        self._began: float | None = None
        self.idle = True

    @property
    def ahead(self) -> int:
        """How many jobs may be claimed beyond the next one."""
        if not self._open or self.age > PATIENT:
            return 0  # it would only be withdrawn again, or could not even be
        return min(MOST, int(WORTH / max(self._expected, 1e-6)))

    @property
    def empty(self) -> bool:
        """Whether nothing waits in it."""
        return not self._works

    @property
    def age(self) -> float:
        """How many seconds the job that runs has run; 0 between two jobs."""
        began = self._began
        return 0.0 if began is None else self._monotonic() - began

    def is_short(self, name: str) -> bool:
        """Return whether a task's jobs have shown to be short.

        Only behind such a job may another stand: a job that keeps the interpreter to
        itself (it never leaves C code, say) cannot be relieved of what is behind it.
        """
        return self._of_task.get(name, LONGEST) < PATIENT

    def put(self, work: Work) -> None:
        """Append a job; the main thread wakes if it waits."""
        self._open = self.is_short(work.name)
        self._works.append(work)
        if self.idle:
            with self._filled:
                self._filled.notify()

    def next(self) -> Work | None:
        """Return the next job, waiting for one; None when the line is closed."""
        work: Work | None
        try:
            work = self._works.popleft()
        except IndexError:
            work = self._wait()
        self._began = self._monotonic()
        return work

    def ended(self, seconds: float, name: str) -> None:
        """Note how long the job of a task took that ``next`` returned last."""
        self._began, self._open = None, True
        # Not below nothing: the wall clock may have been set back meanwhile.
        seconds = min(max(seconds, 0.0), LONGEST)
        self._expected += (seconds - self._expected) * SHARE
        # One long job makes its task a long one, until several were short again.
        before = self._of_task.get(name, seconds)
        self._of_task[name] = max(seconds, before + (seconds - before) * SHARE)

    def dropped(self) -> None:
        """Note that the job that ``next`` returned last may not begin any more."""
        self._began, self._open = None, True

    def withdraw(self) -> list[Work]:
        """Take out all that has not begun, in its order."""
        works: list[Work] = []
        while self._works:
            try:
                works.append(self._works.popleft())
            except IndexError:
                break  # the main thread was quicker
        self._open = self._open or bool(works)
        return works

    def close(self) -> None:
        """Have ``next`` return None once nothing waits."""
        with self._filled:
            self._closed = True
            self._filled.notify()

    def _wait(self) -> Work | None:
        with self._filled:
            self.idle = True
            try:
                while not self._works:
                    if self._closed:
                        return None
                    self._filled.wait()
                return self._works.popleft()
            finally:
                self.idle = False
