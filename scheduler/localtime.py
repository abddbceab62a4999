"""The time zone of this machine, with its rules, not its offset of today."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from flow import config
from flow.errors import InvalidSchedule
from flow.recurrence import zone

LOCALTIME = Path("/etc/localtime")


def local_zone(link: Path = LOCALTIME) -> tzinfo:
    """Return TZ's zone, else the machine's, else the offset that it has now."""
    name = config.environment(None).get("TZ") or _linked(link)
    try:
        return zone(name.removeprefix(":"))
    except InvalidSchedule:
        pass  # a zone without a name of the database
    try:
        with link.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        here = datetime.now().astimezone().tzinfo
        return here if here is not None else zone("UTC")


def _linked(link: Path) -> str:
    _, _, name = str(link.resolve()).partition("zoneinfo/")
    return name
