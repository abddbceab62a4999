"""Zones by name, from the newest data at hand."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from flow.errors import InvalidSchedule
from flow.recurrence import tzdata_version, zone

if TYPE_CHECKING:
    from pathlib import Path

SUMMER = datetime(2026, 7, 1, tzinfo=UTC)


def test_a_zone_is_found_by_its_name() -> None:
    assert zone("Europe/London").key == "Europe/London"
    assert zone("Europe/London") is zone("Europe/London")
    assert SUMMER.astimezone(zone("Europe/London")).isoformat().endswith("+01:00")


def test_a_zone_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(zone("Asia/Tokyo")))  # noqa: S301  (our own bytes)
    assert again is zone("Asia/Tokyo")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("London", "did you mean Europe/London?"),
        ("europe/london", "did you mean Europe/London?"),
        ("Europe/Londn", "did you mean Europe/London"),
        ("Mars/Olympus", "use a name such as Europe/London or UTC"),
        ("", "use a name such as"),
        ("Europe", "did you mean Europe/"),
        ("../../etc/passwd", "use a name such as"),
        ("/etc/localtime", "use a name such as"),
        ("localtime", "use a name such as"),
        ("zone.tab", "use a name such as"),
        ("leapseconds", "use a name such as"),
        ("right/Europe/London", "did you mean"),
        ("Europe/London\x00", "did you mean Europe/London"),
        ("\u00c9urope/London", "did you mean Europe/London"),
        ("x" * 5000, "use a name such as"),
    ],
)
def test_an_unknown_zone_is_refused_with_similar_names(name: str, advice: str) -> None:
    with pytest.raises(InvalidSchedule) as refusal:
        zone(name)
    message = str(refusal.value)
    assert message.startswith("there is no time zone ")
    assert advice in message
    assert len(message) < 200


def test_the_version_is_at_least_the_packages() -> None:
    packaged = (files("tzdata") / "zoneinfo" / "tzdata.zi").read_text("ascii")
    assert tzdata_version() >= packaged.split()[2]


@pytest.mark.parametrize(
    ("marker", "version", "wins"),
    [
        ("tzdata.zi", "2001a", False),
        ("tzdata.zi", "2999z", True),
        ("+VERSION", "2999z", True),
        ("README", "2999z", False),
    ],
)
def test_the_newer_of_the_system_and_the_package_is_used(
    tmp_path: Path, marker: str, version: str, *, wins: bool
) -> None:
    """A folder of zone data in which London has the rules of Tokyo."""
    folder = tmp_path / "zone info"
    (folder / "Europe").mkdir(parents=True)
    (folder / marker).write_text(f"# version {version}\n")
    tokyo = (files("tzdata") / "zoneinfo" / "Asia" / "Tokyo").read_bytes()
    (folder / "Europe" / "London").write_bytes(tokyo)
    code = (
        "from datetime import UTC, datetime\n"
        "from flow.recurrence import Cron, tzdata_version\n"
        "now = datetime(2026, 7, 1, tzinfo=UTC)\n"
        "print(tzdata_version(), Cron('@daily', 'Europe/London').next_after(now))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONTZPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert shown.startswith(version) is wins
    assert shown.strip().endswith("+09:00" if wins else "+01:00")
