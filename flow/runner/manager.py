"""Runs a Procfile: the release first, then all processes until they end together."""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flow.runner import environ
from flow.runner.ports import WEB
from flow.runner.prefix import prefixes
from flow.runner.printer import Printer
from flow.runner.process import Process
from flow.runner.session import Session
from flow.runner.signals import Order, Signals
from flow.runner.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flow.runner.ending import Ending
    from flow.runner.formation import Instance
    from flow.runner.prefix import Style


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Args:
        folder: the working folder of the processes.
        shared: the environment that they share.
        instances: the processes.
        style: how lines are shown.
        release: what runs before them, if anything.
        grace: seconds between TERM and KILL.
        notices: what to say first.
    """

    folder: Path
    shared: Mapping[str, str]
    instances: Sequence[Instance]
    style: Style
    release: Instance | None = None
    grace: float = 10.0
    notices: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of everything that runs."""
        first = [] if self.release is None else [self.release]
        return [instance.name for instance in (*first, *self.instances)]

    def process(self, instance: Instance) -> Process:
        """Return the process of an instance, not started yet."""
        own = environ.of(instance, self.shared, self.grace)
        about = f", port {instance.port}" if instance.type == WEB else ""
        return Process(instance.name, instance.command, own, self.folder, about)


def run(plan: Plan, descriptor: int, lifeline: int | None = None) -> int:
    """Run a plan and return its exit code.

    It takes over the signals and every child of this program: nothing else may run
    in it.

    Args:
        plan: what to run.
        descriptor: where the output goes.
        lifeline: what ``guard.split`` returned, or None without a guard.
    """
    sink = Sink(descriptor)
    before = prefixes(plan.names, plan.style, lambda: datetime.now().astimezone())
    printer = Printer(sink, before, time.monotonic)
    try:
        with Signals(lifeline) as signals:
            ending = _run(plan, signals, printer)
            wait_for_reader(sink, signals, plan.grace, asked=ending.asked)
    finally:
        sink.close()
    return ending.code


def _run(plan: Plan, signals: Signals, printer: Printer) -> Ending:
    for notice in plan.notices:
        printer.say(notice)
    if plan.release is not None:
        ending = _session(plan, [plan.release], signals, printer)
        if ending.asked or ending.code:
            printer.say("the release did not succeed: nothing is started")
            return ending
    return _session(plan, plan.instances, signals, printer)


def _session(
    plan: Plan, instances: Sequence[Instance], signals: Signals, printer: Printer
) -> Ending:
    session = Session(signals, printer, plan.grace, time.monotonic)
    return session.run(plan.process(instance) for instance in instances)


def wait_for_reader(
    sink: Sink, signals: Signals, patience: float, *, asked: bool
) -> None:
    """Let a slow reader take what is still to be written.

    Args:
        sink: what may hold something back.
        signals: somebody may say stop meanwhile.
        patience: seconds to wait for a reader that takes nothing, once it was said.
        asked: whether it was said already; until then a reader has all the time.
    """
    while sink.size:
        waiting = select.poll()
        waiting.register(sink.fileno(), select.POLLOUT)
        for source in signals.sources:
            waiting.register(source, select.POLLIN)
        ready = {fd for fd, _ in waiting.poll(patience * 1000 if asked else None)}
        orders = [
            order
            for source in signals.sources
            if source in ready
            for order in signals.read(source)
        ]
        if not ready or Order.KILL in orders:
            return
        asked = asked or bool(set(orders) - {Order.CHILD})
        sink.flush()
