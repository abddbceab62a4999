"""Runs a plan: the release first, then all processes until they end together."""

from __future__ import annotations

import select
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from flow.runner.control.listener import Control
from flow.runner.control.verbs import Verbs
from flow.runner.output.journal import Journal
from flow.runner.output.prefix import Prefixes
from flow.runner.output.printer import Printer
from flow.runner.output.sink import Sink
from flow.runner.output.streams import Streams
from flow.runner.processes.reaper import Reaper
from flow.runner.releases.deployments import Deployments
from flow.runner.releases.store import ReleaseStore
from flow.runner.session.crew import Crew
from flow.runner.session.loop import Session
from flow.runner.session.roster import Roster
from flow.runner.session.signals import Order, Signals
from flow.runner.watching.changes import Changes
from flow.runner.world import World, local_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.releases.plans import Plans
    from flow.runner.session.ending import Ending
    from flow.runner.session.plan import Plan
    from flow.runner.session.state import State


def run(
    plan: Plan,
    descriptor: int,
    lifeline: int | None = None,
    state: State | None = None,
    plans: Plans | None = None,
) -> int:
    """Run a plan and return its exit code.

    It takes over the signals and every child of this program: nothing else may run
    in it.

    Args:
        plan: what to run.
        descriptor: where the output goes.
        lifeline: what ``guard.split`` returned, or None without a guard.
        state: where the session answers and keeps its log; None: nowhere.
        plans: how other releases are run; None: none can be deployed.
    """
    sink = Sink(descriptor)
    before = Prefixes(plan.names, plan.style, local_time)
    printer = Printer(sink, before.lines, time.monotonic)
    with ExitStack() as until_the_end:
        until_the_end.callback(sink.close)
        signals = until_the_end.enter_context(Signals(lifeline))
        if state and plan.log:
            printer.journal = Journal(state.log, utc, time.monotonic, printer.say)
            until_the_end.callback(printer.journal.close)
        ending = _run(plan, signals, printer, state, plans)
        wait_for_reader(sink, signals, plan.grace, asked=ending.asked)
    return ending.code


def _run(
    plan: Plan,
    signals: Signals,
    printer: Printer,
    state: State | None,
    plans: Plans | None,
) -> Ending:
    for notice in plan.notices:
        printer.say(notice)
    if plan.release is not None:
        alone = replace(
            plan, instances=[plan.release], restart=False, kinds={}, watch=False
        )
        ending = session_of(alone, signals, printer)[0].run()
        if ending.asked or ending.code:
            printer.say("the release did not succeed: nothing is started")
            return ending
    session, crew = session_of(plan, signals, printer)
    if session.changes:
        session.changes.start()
    up = partial(_leave_the_screen, plan, printer)
    if state is None:
        return session.run(up)
    with ExitStack() as until_it_has_ended:
        if plans:
            session.deployments = Deployments(
                crew, plans, state, printer, time.monotonic
            )
        _listen(session, crew, printer, state, until_it_has_ended)
        return session.run(up)


def _leave_the_screen(plan: Plan, printer: Printer) -> None:
    if plan.when_up:
        printer.sink.discard()
        plan.when_up()


def session_of(plan: Plan, signals: Signals, printer: Printer) -> tuple[Session, Crew]:
    """Return a session that runs a plan, not started yet, and its dynos."""
    world, reaper, streams = World(), Reaper(), Streams(printer)
    roster = Roster(plan, printer, world)
    crew = Crew(roster, reaper, streams, printer, world)
    streams.hear = crew.hear
    for instance in plan.instances:
        roster.add(instance)
    session = Session(signals, printer, reaper, streams, crew, world.clock)
    if plan.watch:
        session.changes = Changes(crew, reaper, printer.say, world.clock)
    return session, crew


def _listen(
    session: Session, crew: Crew, printer: Printer, state: State, until: ExitStack
) -> None:
    try:
        listener = state.listen()
    except OSError as error:
        printer.say(f"flow ps and its like have no answer here: {error}")
        return
    keep, current = _keeper(state, printer.say), ReleaseStore(state.folder).current
    # Whoever changed it before the socket was there could not ask for a restart.
    crew.roster.use(current())
    verbs = Verbs(crew, keep, session.stop, printer.say, current)
    verbs.deployments = session.deployments
    session.control = Control(listener, verbs, printer.journal)
    until.callback(session.control.close)
    until.callback(state.unlisten)


def _keeper(
    state: State, say: Callable[[str], None]
) -> Callable[[dict[str, int]], None]:
    def keep(formation: dict[str, int]) -> None:
        try:
            state.keep(state.kept() | formation)
        except OSError as error:
            say(f"the formation is not kept: {error.strerror}")

    return keep


def utc() -> datetime:
    """Return the time for the log."""
    return datetime.now(UTC)


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
        asked = asked or bool(set(orders) - {Order.CHILD, Order.SUSPEND})
        sink.flush()
