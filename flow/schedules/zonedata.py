"""Which time zone data is in use, and whether it is too old to be trusted."""

from __future__ import annotations

from flow.recurrence import tzdata_version

YEARS = 2  # governments change their clocks each year, at weeks' notice


def told(now: int, version: str | None = None) -> str:
    """Return the release of the data in words, with a warning when it is old.

    Args:
        now: ms since 1970.
        version: such as ``2026f``; by default that in use.
    """
    version = tzdata_version() if version is None else version
    year = 1970 + now // 31_556_952_000
    if version[:4].isdigit() and int(version[:4]) > year - YEARS:
        return f"time zones of {version}"
    return f"time zones of {version}, which is old: pip install --upgrade tzdata"
