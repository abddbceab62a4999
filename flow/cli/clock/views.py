"""flow clock list and flow clock history."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from flow import schedules
from flow.cli.clock.opening import open_app, opened
from flow.cli.clock.wording import instant, options, policy, table, when, zone_of
from flow.errors import SpoiltKey
from flow.recurrence import tzdata_version
from flow.schedules import zonedata
from flow.store import current
from flow.store.schedules import Schedules
from flow.store.timetable import Timetable

if TYPE_CHECKING:
    from flow.store.schedules import Note, Scheduled

in_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.command("list")
@opened
@in_json
def listing(*, app: str | None, redis_url: str | None, as_json: bool) -> None:
    """Show the schedules: next and last tick, lateness, policy, paused."""
    project, _ = open_app(app, redis_url)
    each = list(Schedules(current.store().link, project.name).each())
    found = [one for one in each if not isinstance(one, SpoiltKey)]
    timetable = Timetable(current.store().link, project.name)
    leader = timetable.leader()
    if as_json:
        told = {"leader": leader, "tzdata": tzdata_version()}
        listed = [{**asdict(one), "policy": options(one.policy)} for one in found]
        click.echo(json.dumps({**told, "schedules": listed}, indent=2))
        return
    rows = [_row(one) for one in found]
    click.echo(table(("SCHEDULE", "NEXT", "LAST", "LATE", "POLICY", "WHEN"), rows))
    for one in each:
        if isinstance(one, SpoiltKey):
            click.echo(f"stands still: {one}")
    leads = f"{leader} leads" if leader else "no clock leads"
    click.echo(f"\n{leads}; {zonedata.told(timetable.time())}")


@click.command()
@click.argument("schedule", required=False)
@click.option("--count", type=click.IntRange(1), default=20, show_default=True)
@opened
@in_json
def history(
    *,
    schedule: str | None,
    count: int,
    app: str | None,
    redis_url: str | None,
    as_json: bool,
) -> None:
    """Show what became of the latest ticks, of one SCHEDULE or of all."""
    project, _ = open_app(app, redis_url)
    notes = Schedules(current.store().link, project.name).history(schedule, count)
    if schedule is not None and not notes:
        schedules.find(schedule)  # one that was removed has a history, too
    if as_json:
        click.echo(json.dumps([asdict(note) for note in notes], indent=2))
        return
    rows = [_told(note) for note in notes]
    click.echo(table(("TICK", "SCHEDULE", "OUTCOME", "LATE", "JOB OR REASON"), rows))


def _row(one: Scheduled) -> tuple[str, ...]:
    zone = zone_of(one.rule, one.id)
    coming = f"paused since {one.paused[:19]}" if one.paused else None
    after = f" (skips {one.skip})" if one.skip else ""
    late = "-" if one.late is None else f"{one.late} ms"
    told = (late, policy(one.policy), when(one.rule, one.id))
    return (
        one.id,
        coming or instant(one.cursor, zone) + after,
        instant(one.last, zone),
        *told,
    )


def _told(note: Note) -> tuple[str, ...]:
    ticks = instant(note.tick)
    if note.count > 1:
        ticks += f" and {note.count - 1} more"
    late = "-" if note.late is None else f"{note.late} ms"
    return ticks, note.schedule, note.outcome, late, note.job or note.reason
