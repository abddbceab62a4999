"""What ``flow ps`` prints, in Heroku's form."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MINUTE, HOUR, DAY = 60, 3600, 86400
MEGA = 1_000_000


def lines(dynos: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    """Yield the lines of ``flow ps``: a heading for each type, then its dynos.

    Args:
        dynos: as the session describes them, those of a type together.
        now: the time.
    """
    for (name, command), found in groupby(
        dynos, key=lambda dyno: (str(dyno["type"]), str(dyno["command"]))
    ):
        yield f"=== {name}: {command}"
        for dyno in found:
            since = datetime.fromisoformat(dyno["since"])
            yield f"{dyno['name']}: {', '.join(_parts(dyno, since, now))}"
        yield ""


def ago(seconds: float) -> str:
    """Say how long ago something was, as Heroku does: ``(~ 5m ago)``."""
    if seconds < MINUTE:
        return f"(~ {max(0, int(seconds))}s ago)"
    if seconds < HOUR:
        return f"(~ {int(seconds // MINUTE)}m ago)"
    if seconds < DAY:
        return f"(~ {int(seconds // HOUR)}h ago)"
    return f"(~ {int(seconds // DAY)}d ago)"


def _parts(dyno: Mapping[str, Any], since: datetime, now: datetime) -> Iterator[str]:
    when = since.astimezone(now.tzinfo)
    passed = ago((now - when).total_seconds())
    yield f"{dyno['state']} {when:%Y/%m/%d %H:%M:%S} {passed}"
    if dyno["pid"]:
        yield f"port {dyno['port']}"
        yield f"{dyno['memory'] / MEGA:.0f} MB"
    elif dyno["code"] is not None:
        yield f"exit code {dyno['code']}"
    if dyno["restarts"]:
        again = dyno["restarts"]
        yield f"{again} restart" + ("s" if again > 1 else "")


def formation(counts: Mapping[str, int]) -> str:
    """Return a formation in a form that ``flow ps:scale`` takes."""
    return " ".join(f"{name}={count}" for name, count in counts.items())
