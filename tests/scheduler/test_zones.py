"""When the time zone data is swapped under a clock that runs."""

from __future__ import annotations

import shutil
import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import pytest

from flow import recurrence
from flow.scheduler.plan import replanned
from flow.scheduler.zones import Zones
from flow.schedules import rules
from flow.store.entry import Rule
from tests.scheduler.turning import Turning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flow.store.client import Store

HOUR = 3_600_000
PLACE = "Africa/Cairo"
GREENWICH, ATHENS = "Etc/GMT", "Etc/GMT-2"  # what the place's clocks show


class Data:
    """The system's time zone data, which can be swapped.

    Args:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def swap(self, version: str, like: str) -> None:
        """Have the place's clocks show what others do, by that release."""
        with as_file(files("tzdata").joinpath("zoneinfo", *like.split("/"))) as zone:
            new = self.folder / PLACE
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(zone, new)
        (self.folder / "tzdata.zi").write_text(f"# version {version}\n")


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Data]:
    """Time zone data that is newer than any other, and in use."""
    data = Data(tmp_path / "zones of the system")
    data.swap("2090a", like=GREENWICH)
    zoneinfo.reset_tzpath([data.folder])
    recurrence.read_again()
    rules.forget()
    yield data
    zoneinfo.reset_tzpath()
    recurrence.read_again()
    rules.forget()


def watch(clock: Turning) -> Zones:
    clock.leader.run_once()
    return Zones(clock.timetable, clock.schedules, clock.leader)


def minutes(zones: Zones, count: int) -> None:
    """Have so many of its minutes pass."""
    for _ in range(count):
        while zones.run_once() == 0:
            pass


def daily(clock: Turning, hour: int) -> int:
    """Declare a tick a day at an hour of the place; return the next."""
    clock.declare(rule=Rule("cron", f"0 {hour} * * *", PLACE))
    return clock.stands()


def hour_in(hours: float) -> int:
    """Return the full hour that comes in so many hours, or in one less."""
    return (datetime.now(UTC) + timedelta(hours=hours)).hour


def test_what_is_to_come_follows_the_new_data(clock: Turning, data: Data) -> None:
    before = daily(clock, hour_in(6))
    zones = watch(clock)
    minutes(zones, 3)
    assert clock.stands() == before
    data.swap("2090b", like=ATHENS)
    minutes(zones, 2)
    assert recurrence.tzdata_version() == "2090b"
    assert clock.stands() == before - 2 * HOUR
    assert clock.timetable.planned_by() == "2090b"
    minutes(zones, 2)
    assert clock.stands() == before - 2 * HOUR


def test_a_tick_that_was_due_by_the_new_data_is_caught_up(
    clock: Turning, data: Data
) -> None:
    before = daily(clock, hour_in(1.5))
    zones = watch(clock)
    data.swap("2090b", like=ATHENS)
    minutes(zones, 2)
    clock.turn()
    assert clock.fired() == [before - 2 * HOUR]
    assert clock.stands() == before + 22 * HOUR


def test_data_that_is_still_being_written_is_left_alone(
    clock: Turning, data: Data
) -> None:
    zones = watch(clock)
    for version in ("2090b", "2090c", "unheard of", "2090d"):
        data.swap(version, like=ATHENS)
        minutes(zones, 1)
        assert recurrence.tzdata_version() == "2090a"
    minutes(zones, 1)
    assert recurrence.tzdata_version() == "2090d"


def test_a_clock_that_starts_with_newer_data_plans_anew(
    clock: Turning, data: Data
) -> None:
    before = daily(clock, hour_in(6))
    minutes(watch(clock), 1)
    data.swap("2090b", like=ATHENS)
    recurrence.read_again()
    rules.forget()
    minutes(watch(clock), 1)
    assert clock.stands() == before - 2 * HOUR


def test_a_clock_with_older_data_leaves_the_plans_alone(
    clock: Turning, data: Data
) -> None:
    clock.timetable.note_zones("2091a")
    before = daily(clock, hour_in(6))
    data.swap("2090b", like=ATHENS)
    minutes(watch(clock), 3)
    assert clock.stands() == before
    assert clock.timetable.planned_by() == "2091a"


def test_one_that_stands_by_plans_nothing(
    clock: Turning, store: Store, data: Data
) -> None:
    before = daily(clock, hour_in(6))
    clock.leader.run_once()
    other = Turning(store, "other")
    standby = watch(other)
    data.swap("2090b", like=ATHENS)
    minutes(standby, 3)
    assert clock.stands() == before
    assert recurrence.tzdata_version() == "2090b"


def test_a_paused_one_and_one_that_has_moved_stay(clock: Turning, data: Data) -> None:
    before = daily(clock, hour_in(6))
    seen = clock.find()
    move = (seen.id, seen.revision, before + 1, before - HOUR, before - HOUR)
    assert clock.timetable.replan([move]) == []
    clock.schedules.pause("beat")
    data.swap("2090b", like=ATHENS)
    minutes(watch(clock), 3)
    assert clock.stands() == before


def test_ticks_that_the_new_data_has_too_are_not_repeated() -> None:
    rule = recurrence.Cron("0 * * * *", tz="Asia/Tokyo")
    now = 1_795_400_000_000
    coming = rules.following(rule, now)
    assert coming
    # The one before was skipped, so that it is not the last that fired.
    assert replanned(rule, coming, coming - 5 * HOUR, now) == coming
