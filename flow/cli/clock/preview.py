"""flow clock preview: when a schedule, or an expression, would fire."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

import click

from flow import schedules
from flow.cli.clock.opening import load_declared, open_app, opened
from flow.cli.clock.views import in_json
from flow.cli.clock.wording import moment, table
from flow.errors import (
    InvalidSchedule,
    NoServer,
    NoSuchSchedule,
    ServerUnreachable,
)
from flow.recurrence import Cron, Every, tzdata_version
from flow.registry import TASKS
from flow.schedules import zonedata
from flow.schedules.entries import declared
from flow.schedules.rules import recurrence

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = timedelta(seconds=1)
FIELDS = 5  # of a cron expression, at least


HELP = """Show the next ticks, with notes where the clocks change.

\b
flow clock preview                                of all that the app declares
flow clock preview shop-tasks-report              of one schedule
flow clock preview "30 1 * * *" --tz Europe/London --from 2026-03-28

What the app declares, and an expression, need no Redis. What H stands for is drawn
from a schedule's id: preview the schedule.
"""


@click.command(help=HELP)
@click.argument("what", metavar="[SCHEDULE|EXPR]", required=False)
@click.option("--tz", metavar="ZONE", help="For an expression; by default UTC.")
@click.option(
    "--from",
    "start",
    metavar="WHEN",
    help="An instant such as 2026-03-28T00:00; by default now.",
)
@click.option("--count", type=click.IntRange(1, 10_000), default=10, show_default=True)
@opened
@in_json
def preview(  # noqa: PLR0913 - one argument for each option
    *,
    what: str | None,
    tz: str | None,
    start: str | None,
    count: int,
    app: str | None,
    redis_url: str | None,
    as_json: bool,
) -> None:
    """Show ticks to come."""
    if what is not None and _is_expression(what):
        rules: dict[str, Cron | Every] = {what: Cron(what, tz=tz, id="preview")}
    else:
        rules = _of_app(what, app, redis_url)
    begin = _begin(start, next(iter(rules.values()), None))
    found = list(islice(_ticks(rules, begin), count))
    if as_json:
        click.echo(json.dumps(_as_data(rules, found), indent=2))
        return
    rows = [(moment(at), name, "; ".join(notes(at))) for at, name in found]
    for name, rule in rules.items():
        click.echo(f"{name}: {rule.describe()}")
    click.echo(f"\n{table(('TICK', 'OF', 'NOTE'), rows)}")
    click.echo(f"\n{zonedata.told(_now())}")


def notes(at: datetime) -> list[str]:
    """Return what is odd about a tick: the wall clock skips or repeats a time."""
    told: list[str] = []
    before = (at.astimezone(UTC) - SECOND).astimezone(at.tzinfo)
    here, there = at.utcoffset(), before.utcoffset()
    if here is not None and there is not None and here > there:
        told.append(f"the clocks go forward by {here - there} to this")
    first, second = (at.replace(fold=fold).utcoffset() for fold in (0, 1))
    if first is not None and second is not None and first > second:
        which = "second" if at.fold else "first"
        told.append(f"{at:%H:%M} comes twice: the {which}")
    return told


def _ticks(
    rules: dict[str, Cron | Every], begin: datetime
) -> Iterator[tuple[datetime, str]]:
    every = [_of(name, rule, begin) for name, rule in rules.items()]
    # In UTC: Python ignores the fold when it compares two times of one zone.
    for _, at, name in merge(*every):
        yield at, name


def _of(
    name: str, rule: Cron | Every, begin: datetime
) -> Iterator[tuple[float, datetime, str]]:
    for at in rule.between(begin, datetime(2200, 1, 1, tzinfo=UTC)):
        yield at.timestamp(), at, name


def _as_data(
    rules: dict[str, Cron | Every], found: list[tuple[datetime, str]]
) -> dict[str, object]:
    ticks = [
        {"tick": at.isoformat(), "of": name, "notes": notes(at)} for at, name in found
    ]
    described = {name: rule.describe() for name, rule in rules.items()}
    return {"tzdata": tzdata_version(), "rules": described, "ticks": ticks}


def _is_expression(what: str) -> bool:
    return what.startswith("@") or len(what.split()) >= FIELDS


def _of_app(
    what: str | None, app: str | None, redis_url: str | None
) -> dict[str, Cron | Every]:
    load_declared(app)
    made = declared(TASKS, _now())
    known = {one.id: recurrence(one.rule, one.id) for one in made}
    if what is None:
        return known
    if what in known:
        return {what: known[what]}
    try:
        # It may be one of those that upsert made, which stand in Redis alone.
        open_app(app, redis_url)
        one = schedules.find(what)
    except (NoSuchSchedule, NoServer, ServerUnreachable) as error:
        raise InvalidSchedule(
            f"{what!r} is neither an expression of five fields nor declared: {error}"
        ) from None
    return {what: recurrence(one.rule, one.id)}


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def _begin(text: str | None, rule: Cron | Every | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        begin = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidSchedule(
            f"--from {text!r} is no instant; write 2026-03-28 or 2026-03-28T01:30+00:00"
        ) from None
    if begin.utcoffset() is None:
        begin = begin.replace(tzinfo=rule.tz if isinstance(rule, Cron) else UTC)
    return begin
