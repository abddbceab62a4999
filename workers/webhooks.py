"""Webhooks that RQ's client gave a job: they are sent when its outcome is written.

In threads of their own, because an address that does not answer must hold up no job.
What is sent, and how, is RQ's own code; what fails is logged, and no more.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from flow import codec, events
from flow.log import emit
from flow.outcome import Ending
from flow.workers import callbacks

if TYPE_CHECKING:
    from collections.abc import Collection

    from flow.outcome import Outcome

AT_A_TIME = 8
MOST = 1000  # that wait; beyond it the process settles nothing more until some are sent
TOLD = {
    Ending.FINISHED: "finished",
    Ending.REPEATED: "finished",
    Ending.FAILED: "failed",
    Ending.EXHAUSTED: "failed",
}


class Webhooks:
    """Tells addresses how jobs of this process ended."""

    def __init__(self) -> None:
        """Start no thread: most processes never send any."""
        self.noted: dict[str, Outcome] = {}
        self._threads: ThreadPoolExecutor | None = None
        self._room = threading.BoundedSemaphore(MOST)

    def note(self, outcome: Outcome) -> None:
        """Have an outcome told, if it is to be, as soon as it is written."""
        extras = outcome.claim.extras
        if extras is not None and extras.webhooks and outcome.ending in TOLD:
            self.noted[outcome.claim.execution] = outcome

    def written(self, executions: Collection[str], refused: Collection[str]) -> None:
        """Send what was noted for these executions, but for jobs that were refused."""
        for execution in executions:
            outcome = self.noted.pop(execution, None)
            if outcome is not None and outcome.claim.job_id not in refused:
                self._submit(outcome)

    def close(self) -> None:
        """Wait until all that was written is sent."""
        if self._threads is not None:
            self._threads.shutdown()

    def _submit(self, outcome: Outcome) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(AT_A_TIME, "flow-webhooks")
        self._room.acquire()
        self._threads.submit(self._send, outcome)

    def _send(self, outcome: Outcome) -> None:
        try:
            _send(outcome)
        except Exception as error:  # noqa: BLE001 - RQ's code; the job has ended anyhow
            told = f"{type(error).__name__}: {error}"
            emit(events.CallbackFailed(outcome.claim.job_id, "webhook", told))
        finally:
            self._room.release()


def _send(outcome: Outcome) -> None:
    status, told = TOLD[outcome.ending], None
    if outcome.ending is Ending.EXHAUSTED:
        told = ""  # nothing was raised
    elif status == "failed":
        told = codec.unpack_failure(outcome.value)
    job = callbacks.for_webhooks(outcome, status)
    job.send_webhooks(status, exc_string=told)
