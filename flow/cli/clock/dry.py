"""flow clock --dry-run: what a start would change, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flow.cli.clock.wording import instant, table, when, zone_of
from flow.schedules import zonedata
from flow.store.schedules import Schedules
from flow.store.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.config import Project
    from flow.store.client import Store
    from flow.store.entry import Entry


def say_what_would_be(
    store: Store, project: Project, made: Callable[[int], Sequence[Entry]]
) -> None:
    """Print it; nothing is written."""
    timetable = Timetable(store.link, project.name)
    stands = {one.id: one for one in Schedules(store.link, project.name).all()}
    entries = made(timetable.time())
    rows: list[tuple[str, ...]] = []
    for entry in entries:
        old = stands.get(entry.id)
        change = "new" if old is None else "changed"
        if old is not None and old.revision == entry.revision:
            change = "as it is"
        keeps = old is not None and old.rule == entry.rule and old.cursor is not None
        tick = old.cursor if keeps and old is not None else entry.first
        zone = zone_of(entry.rule, entry.id)
        rows.append((entry.id, change, instant(tick, zone), when(entry.rule, entry.id)))
    ids = {entry.id for entry in entries}
    rows += [
        (one.id, "removed", "-", when(one.rule, one.id))
        for one in stands.values()
        if one.source == "declared" and one.id not in ids
    ]
    click.echo(table(("SCHEDULE", "START", "NEXT", "WHEN"), rows))
    click.echo(f"\n{zonedata.told(timetable.time())}; nothing was written")
