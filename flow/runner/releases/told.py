"""Releases in words, in Heroku's form; no value of a config var is among them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flow.runner.control import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flow.runner.releases.release import Release


def rows(releases: Sequence[Release], now: datetime) -> Iterator[str]:
    """Yield a line for each release, in columns.

    Args:
        releases: what to list.
        now: the time, in the time zone to show times in.
    """
    table = [(one.name, _what(one), one.by, when(one.created, now)) for one in releases]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = zip(row, widths, strict=True)
        yield "  ".join(f"{cell:{width}}" for cell, width in cells).rstrip()


def described(release: Release, now: datetime) -> Iterator[str]:
    """Yield the lines that say all of a release.

    Args:
        release: the release.
        now: the time, in the time zone to show times in.
    """
    yield f"=== Release {release.name}"
    yield f"Change:       {release.what}"
    yield f"By:           {release.by}"
    yield f"When:         {when(release.created, now)}"
    why = f": {release.why}" if release.why else ""
    yield f"Status:       {release.status}{why}"
    yield f"Code:         {_code(release)}"
    yield f"Formation:    {listing.formation(release.formation) or 'not decided'}"
    yield f"Config vars:  {', '.join(sorted(release.config)) or 'none'}"


def as_json(release: Release) -> dict[str, object]:
    """Return all of a release that may be shown."""
    return {
        **release.record(),
        "name": release.name,
        "status": release.status,
        "config": sorted(release.config),
    }


def when(created: float, now: datetime) -> str:
    """Return a time as Heroku shows it: ``2026/11/23 10:00:00 (~ 5m ago)``."""
    then = datetime.fromtimestamp(created, UTC).astimezone(now.tzinfo)
    passed = listing.ago((now - then).total_seconds())
    return f"{then:%Y/%m/%d %H:%M:%S} {passed}"


def _what(release: Release) -> str:
    if release.status == "succeeded":
        return release.what
    why = f": {release.why}" if release.why else ""
    return f"{release.what} ({release.status}{why})"


def _code(release: Release) -> str:
    if release.commit:
        return release.commit
    return release.tree or "the working tree"
