"""Runs the release process of a release: once, with its output shown and a limit."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from flow.runner.declared.formation import Instance
from flow.runner.declared.procfile import RELEASE
from flow.runner.session.ending import TIMED_OUT, in_words
from flow.runner.session.manager import session_of

if TYPE_CHECKING:
    from flow.runner.output.printer import Printer
    from flow.runner.session.plan import Plan
    from flow.runner.session.signals import Signals


def run(plan: Plan, signals: Signals, printer: Printer, limit: float) -> str:
    """Run it, if the Procfile has one; return why it failed, or an empty text.

    Args:
        plan: how the release is run.
        signals: somebody may say stop meanwhile.
        printer: shows what it says.
        limit: seconds it may take.
    """
    entry = plan.listed.find(RELEASE)
    if entry is None:
        return ""
    one = Instance(entry.name, 1, entry.command, plan.base)
    alone = replace(plan, instances=[one], kinds={}, restart=False, watch=False)
    session, _ = session_of(alone, signals, printer)
    session.deadline = time.monotonic() + limit
    ending = session.run()
    if ending.asked:
        return "interrupted"
    if ending.code == TIMED_OUT and time.monotonic() >= session.deadline:
        return f"the release process did not end within {limit:g} s"
    return f"the release process {in_words(ending.code)}" if ending.code else ""
