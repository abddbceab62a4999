"""flow clock upsert: makes a schedule of a task, or changes one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import click

from flow import schedules
from flow.cli.clock.opening import open_app, opened
from flow.cli.clock.wording import instant, when, zone_of
from flow.errors import InvalidSchedule, UnknownTask
from flow.recurrence.transitions import Dst
from flow.registry import CHOICES, TASKS
from flow.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable

CHOSEN = {**CHOICES, "dst": get_args(Dst)}
NUMBERS = {"window": float, "maximum": int, "jitter": float}


def policies(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option for each policy, under the name that @cron has."""
    kinds = {name: click.Choice(values) for name, values in CHOSEN.items()}
    for name, kind in reversed((kinds | NUMBERS).items()):
        option = click.option(f"--{name.replace('_', '-')}", name, type=kind)
        command = option(command)
    return command


@click.command()
@click.argument("schedule")
@click.argument("task")
@click.option("--cron", metavar="EXPR", help="When: --cron '0 7 * * mon-fri'.")
@click.option("--every", type=float, metavar="SECONDS", help="Or each so many.")
@click.option("--tz", metavar="ZONE", help="Of the expression; by default UTC.")
@click.option("--args", metavar="JSON", help="Of the call: --args '[42]'.")
@click.option("--kwargs", metavar="JSON", help="""--kwargs '{"width": 200}'.""")
@policies
@opened
def upsert(
    schedule: str,
    task: str,
    app: str | None,
    redis_url: str | None,
    **given: Any,  # noqa: ANN401 - one for each option of flow.schedules.upsert
) -> None:
    """Have TASK, by its path or its name, recur as SCHEDULE.

    The same as flow.schedules.upsert: what is not given is the default, also where
    SCHEDULE was otherwise before. docs/clock.md has the policies.
    """
    open_app(app, redis_url)
    chosen = {name: value for name, value in given.items() if value is not None}
    if "args" in chosen:
        chosen["args"] = tuple(_read("args", chosen["args"], list))
    if "kwargs" in chosen:
        chosen["kwargs"] = _read("kwargs", chosen["kwargs"], dict)
    one = schedules.upsert(schedule, _task(task), **chosen)
    coming = instant(one.cursor, zone_of(one.rule, one.id))
    click.echo(f"{schedule}: {when(one.rule, one.id)}; next {coming}")


def _task(name: str) -> Task[..., Any, Any]:
    found = TASKS.find(name)
    if found is None:
        known = ", ".join(sorted(one.name for one in TASKS)) or "none"
        raise UnknownTask(f"no task {name!r} is declared; known: {known}")
    return Task(found)


def _read(option: str, text: str, kind: type[list[Any] | dict[str, Any]]) -> Any:  # noqa: ANN401 - what JSON holds
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        raise InvalidSchedule(f"--{option} {text!r} is no JSON: {error}") from None
    if type(value) is not kind:
        wanted = "a list: '[42]'" if kind is list else """an object: '{"width": 200}'"""
        raise InvalidSchedule(f"--{option} {text!r} is not {wanted}")
    return value
