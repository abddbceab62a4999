"""The release of the time zone data, and the warning when it is old."""

from __future__ import annotations

from flow.recurrence import tzdata_version
from flow.schedules.zonedata import told

NOW = 1_795_400_000_000  # November 2026


def test_the_release_in_use_is_told() -> None:
    assert tzdata_version() in told(NOW)


def test_data_of_the_last_two_years_is_new_enough() -> None:
    assert told(NOW, "2025a") == "time zones of 2025a"


def test_older_or_unknown_data_is_a_warning() -> None:
    assert "which is old: pip install --upgrade tzdata" in told(NOW, "2024b")
    assert "which is old" in told(NOW, "unknown")
