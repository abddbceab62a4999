"""Urgent: how soon an urgent job begins while all ordinary slots are busy for long."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import cpu, declared
from benchmarks.clients import FlowClient
from benchmarks.contenders import FLOW
from benchmarks.latency import spread_of, trip

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.latency import Latency
    from benchmarks.stand import Stand
    from flow import Task

PATIENCE = 60  # seconds a result may take
BUSY = 0.005  # seconds that each ordinary job takes


@dataclass(frozen=True, slots=True)
class Size:
    """How many ordinary jobs wait, and how many urgent ones are measured."""

    ordinary: int = 50_000
    urgent: int = 200


def measure(
    stand: Stand, size: Size, tell: Callable[[str], None]
) -> dict[str, Latency]:
    """Measure an urgent worker beside an ordinary one: idle, sleeping, and burning."""
    found: dict[str, Latency] = {}
    cases: dict[str, Task[[float], None, None] | None] = {
        "both idle": None,
        "ordinary jobs sleep": declared.nap,
        "ordinary jobs burn CPU": declared.burn,
    }
    for name, task in cases.items():
        tell(f"urgent: {name}")
        found[name] = _measure(stand, size, task)
    return found


def _measure(
    stand: Stand, size: Size, ordinary: Task[[float], None, None] | None
) -> Latency:
    stand.empty()
    FlowClient(stand)
    if ordinary is not None:
        ordinary.enqueue_many([(BUSY,)] * size.ordinary)
    with contextlib.ExitStack() as running:
        for further in ((), ("--urgent",)):
            command = [*FLOW.command(stand.url), *further]
            running.enter_context(cpu.started(command, stand.folder))
        _round_trip()  # it is up
        return spread_of([trip(_round_trip) for _ in range(size.urgent)])


def _round_trip() -> float:
    return declared.urgent.enqueue().result(PATIENCE)
