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
        module: a program of the benchmarks' own, which takes the URL alone.
    """

    name: str
    client: str
    jobs: int
    options: tuple[str, ...] = ()
    module: str = ""

    def command(self, url: str, *further: str) -> list[str]:
        """Return its command line."""
        if self.module:
            return [sys.executable, "-m", self.module, url]
        program = [str(PROGRAMS / self.client), "worker"]
        where = ["--redis-url", url, "--app", APP]
        if self.client == "rq":
            where = ["--url", url]
        return [*program, *where, *self.options, *further]


SIMPLE = ("-w", "rq.worker.SimpleWorker")
QUIET = ("--log-level", "warning")

FLOW = Contender("flow", "flow", 30_000, ("--processes", "1"))
PAIR = Contender("flow, 2 processes", "flow", 30_000, ("--processes", "2"))
FLOOR = Contender("its scripts alone", "flow", 30_000, module="benchmarks.floor")
RQ = Contender("rq worker", "rq", 300)
# The first is what all others are compared with.
CONTENDERS = (
    FLOW,
    FLOOR,
    PAIR,
    RQ,
    Contender("rq SimpleWorker", "rq", 1500, SIMPLE),
    Contender("flow, quiet", "flow", 30_000, ("--processes", "1", *QUIET)),
    Contender("rq worker, quiet", "rq", 300, ("--quiet",)),
    Contender("rq SimpleWorker, quiet", "rq", 1500, (*SIMPLE, "--quiet")),
)
