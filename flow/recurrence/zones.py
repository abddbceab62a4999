"""Time zones by name, from the newest time zone data at hand.

``zoneinfo`` alone prefers the system's files, which are often years older than
the tzdata package: a job would then fire by rules that a country has abolished.
"""

from __future__ import annotations

import re
import zoneinfo
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from flow.errors import InvalidSchedule

NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
LONGEST = 60  # characters of a name that a message repeats
# Leap-second files give shifted times; localtime is another zone on each machine.
NOT_ZONES = re.compile(r"(right|posix)/.*|posixrules|localtime")


class PackagedZone(ZoneInfo):
    """A zone of the tzdata package; unlike other zones from files it pickles."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by name, so that the reader's newest data is used."""
        return zone, (self.key,)


@cache
def zone(name: str) -> ZoneInfo:
    """Return the time zone of that name; the same object until ``read_again``.

    Args:
        name: a name of the IANA database, such as ``Europe/London``.

    Raises:
        InvalidSchedule: there is no such zone; the message has similar names.
    """
    found = None
    if NAME.fullmatch(name) and not NOT_ZONES.fullmatch(name):
        found = (_packaged(name) if _package_is_newer() else None) or _installed(name)
    if found is None:
        raise InvalidSchedule(
            f"there is no time zone {name[:LONGEST]!r}; {_advice(name)}"
        )
    return found


@cache
def tzdata_version() -> str:
    """Return the release of the time zone data in use, such as ``2026f``."""
    return max(_system_version(), _package_version()) or "unknown"


def tzdata_at_hand() -> str:
    """Return the release that a start would use now; the data may have been swapped."""
    found = max(_system_version.__wrapped__(), _package_version.__wrapped__())
    return found or "unknown"


def read_again() -> None:
    """Have zones come from the data that is there now; what was made keeps the old."""
    ZoneInfo.clear_cache()
    for known in (zone, tzdata_version, _package_version, _system_version):
        known.cache_clear()


def _packaged(name: str) -> ZoneInfo | None:
    source = files("tzdata").joinpath("zoneinfo", *name.split("/"))
    try:
        with source.open("rb") as file:
            return PackagedZone.from_file(file, key=name)
    except (OSError, ValueError):  # not there, a folder, or one of its tables
        return None


def _installed(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder, a table, or not there
        return None


def _advice(name: str) -> str:
    keys = sorted(key for key in available_timezones() if not NOT_ZONES.fullmatch(key))
    known = {key.lower(): key for key in keys}
    wanted = name.lower()[:LONGEST]
    same = [low for low in known if low == wanted or low.endswith(f"/{wanted}")]
    similar = same or get_close_matches(wanted, known, n=3, cutoff=0.7)
    if similar:
        return f"did you mean {' or '.join(known[low] for low in similar[:3])}?"
    return "use a name such as Europe/London or UTC"


def _package_is_newer() -> bool:
    return _package_version() > _system_version()


@cache
def _package_version() -> str:
    try:
        folder = files("tzdata").joinpath("zoneinfo")
        return _version(folder.joinpath("tzdata.zi").read_text("ascii"))
    except (ImportError, OSError):
        return ""


@cache
def _system_version() -> str:
    for folder in map(Path, zoneinfo.TZPATH):
        for name in ("tzdata.zi", "+VERSION"):  # the second is that of macOS
            if (folder / name).is_file():
                return _version((folder / name).read_text("ascii", "replace"))
    return ""


def _version(text: str) -> str:
    """Return the release that a file names first, such as 2026f; else nothing."""
    found = re.search(r"\b\d{4}[a-z]{1,2}\b", text[:100])
    return found[0] if found else ""
