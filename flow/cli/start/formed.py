"""What is started of a Procfile, and how many of each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flow.errors import ProcfileError
from flow.runner.declared import formation, procfile
from flow.runner.declared.formation import Instance

if TYPE_CHECKING:
    from flow.cli.start.options import Options
    from flow.runner.declared.procfile import Procfile
    from flow.runner.session.state import State


def formed(
    options: Options, listed: Procfile, state: State, base: int
) -> tuple[tuple[Instance, ...], list[str]]:
    """Return the processes to start, and what to say of them.

    Args:
        options: what was asked for.
        listed: the Procfile.
        state: what the last session left.
        base: the port of the first type.

    Raises:
        ProcfileError: what is asked for cannot be.
    """
    counts, said = _how_many(options, listed, state)
    found = formation.instances(listed, options.process, counts, base)
    doubts = formation.doubtful(Counter(one.type for one in found))
    return found, [*said, *doubts]


def first_to_run(options: Options, listed: Procfile, base: int) -> Instance | None:
    """Return the release, if it is to run now.

    Raises:
        ProcfileError: it was asked for, and there is none.
    """
    entry = listed.find(procfile.RELEASE)
    if options.release and entry is None:
        raise ProcfileError(f"{listed.source} has no release line")
    whole = not options.process
    if entry is None or not (whole if options.release is None else options.release):
        return None
    return Instance(entry.name, 1, entry.command, base)


def _how_many(
    options: Options, listed: Procfile, state: State
) -> tuple[dict[str, int], list[str]]:
    # What flow ps:scale left counts where nothing else is asked for.
    if options.wanted:
        return formation.counts(options.wanted), []
    known = [entry.name for entry in listed.types]
    kept = {name: count for name, count in state.kept().items() if name in known}
    started = {**dict.fromkeys(known, 1), **kept}
    if options.process or not kept or not any(started.values()):
        return {}, []
    said = " ".join(f"{name}={count}" for name, count in kept.items())
    return kept, [f"as flow ps:scale left it: {said} (-c all=1: one each)"]
