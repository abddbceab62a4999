"""flow clock pause, resume, run-now, skip-next, backfill and remove."""

from __future__ import annotations

from datetime import datetime

import click

from flow import schedules
from flow.cli.clock.opening import open_app, opened
from flow.cli.clock.wording import instant, zone_of
from flow.errors import InvalidSchedule

schedule_id = click.argument("schedule")


@click.command()
@schedule_id
@opened
def pause(schedule: str, app: str | None, redis_url: str | None) -> None:
    """Have SCHEDULE enqueue nothing until it is resumed."""
    open_app(app, redis_url)
    done = schedules.pause(schedule)
    click.echo(f"{schedule} is paused" if done else f"{schedule} was paused already")


@click.command()
@schedule_id
@opened
def resume(schedule: str, app: str | None, redis_url: str | None) -> None:
    """Have a paused SCHEDULE go on with its next tick."""
    open_app(app, redis_url)
    if not schedules.resume(schedule):
        click.echo(f"{schedule} was not paused")
        return
    one = schedules.find(schedule)
    click.echo(f"{schedule} goes on: {instant(one.cursor, zone_of(one.rule, one.id))}")


@click.command("run-now")
@schedule_id
@opened
def run_now(schedule: str, app: str | None, redis_url: str | None) -> None:
    """Enqueue the job of SCHEDULE now, beside its ticks."""
    open_app(app, redis_url)
    click.echo(f"enqueued {schedules.run_now(schedule).id}")


@click.command("skip-next")
@schedule_id
@click.option("--count", type=click.IntRange(0), default=1, show_default=True)
@opened
def skip_next(
    schedule: str, count: int, app: str | None, redis_url: str | None
) -> None:
    """Leave out the next tick of SCHEDULE; --count 0 takes it back."""
    open_app(app, redis_url)
    schedules.skip_next(schedule, count)
    click.echo(f"{schedule} leaves out {count} of its next ticks")


@click.command()
@schedule_id
@click.option("--from", "start", required=True, metavar="WHEN", help="Included.")
@click.option("--to", "end", required=True, metavar="WHEN", help="Not included.")
@opened
def backfill(
    schedule: str, start: str, end: str, app: str | None, redis_url: str | None
) -> None:
    """Enqueue the job of SCHEDULE for each tick in a time that has passed."""
    open_app(app, redis_url)
    jobs = schedules.backfill(schedule, _aware(start), _aware(end))
    click.echo(f"enqueued {len(jobs)} jobs")


@click.command()
@schedule_id
@opened
def remove(schedule: str, app: str | None, redis_url: str | None) -> None:
    """Remove SCHEDULE, which was made by flow.schedules.upsert."""
    open_app(app, redis_url)
    schedules.remove(schedule)
    click.echo(f"{schedule} is removed")


def _aware(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise InvalidSchedule(
            f"{text!r} is no instant with a zone; write 2026-03-28T01:30+00:00"
        )
    return moment
