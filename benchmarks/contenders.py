"""Who is measured: the workers as a user starts them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(sys.executable).parent
APP = "benchmarks.declared"


@dataclass(frozen=True, slots=True)
class Contender:
    """One worker.

    Args:
        name: as the tables have it.
        client: whose jobs it runs, ``flow`` or ``rq``.
        jobs: how many it gets in a round; some seconds of work.
        options: of its command.
    """

    name: str
    client: str
    jobs: int
    options: tuple[str, ...]

    def command(self, url: str, *further: str) -> list[str]:
        """Return its command line."""
        if self.client == "rq":
            return [str(PROGRAMS / "rq"), "worker", "--url", url, *self._all(further)]
        flow = [str(PROGRAMS / "flow"), "worker", "--redis-url", url, "--app", APP]
        return [*flow, *self._all(further)]

    def _all(self, further: tuple[str, ...]) -> tuple[str, ...]:
        return (*self.options, *further)


SIMPLE = ("-w", "rq.worker.SimpleWorker")
QUIET = ("--log-level", "warning")

FLOW = Contender("flow", "flow", 6000, ("--processes", "1"))
RQ = Contender("rq worker", "rq", 150, ())
# The first is what all others are compared with.
CONTENDERS = (
    FLOW,
    Contender("flow, 2 processes", "flow", 6000, ("--processes", "2")),
    RQ,
    Contender("rq SimpleWorker", "rq", 600, SIMPLE),
    Contender("flow, quiet", "flow", 6000, ("--processes", "1", *QUIET)),
    Contender("rq worker, quiet", "rq", 150, ("--quiet",)),
    Contender("rq SimpleWorker, quiet", "rq", 600, (*SIMPLE, "--quiet")),
)
