"""What Cron promises: its rules where the clocks change, and its manners."""

from __future__ import annotations

import copy
import pickle
import threading
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import InvalidSchedule, NaiveDatetime
from flow.recurrence import Cron, zone

if TYPE_CHECKING:
    from flow.recurrence.transitions import Dst

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


def ticks(cron: Cron, start: str, hours: int = 24) -> list[str]:
    """Return the ticks of some hours from a wall-clock time, with their offsets."""
    first = datetime.fromisoformat(start).replace(tzinfo=cron.tz)
    last = first.astimezone(UTC) + timedelta(hours=hours)
    return [f"{tick:%H:%M%z}" for tick in cron.between(first, last)]


@pytest.mark.parametrize(
    ("dst", "ran"),
    [("vixie", ["02:00+0100"]), ("strict", []), ("skip", [])],
)
def test_a_fixed_time_in_the_gap(dst: Dst, ran: list[str]) -> None:
    cron = Cron("30 1 * * *", "Europe/London", dst=dst)
    assert ticks(cron, "2026-03-29", 23) == ran


@pytest.mark.parametrize(
    ("dst", "ran"),
    [
        ("vixie", ["01:30+0100"]),
        ("strict", ["01:30+0100", "01:30+0000"]),
        ("skip", ["01:30+0100"]),
    ],
)
def test_a_fixed_time_in_the_repeated_hour(dst: Dst, ran: list[str]) -> None:
    cron = Cron("30 1 * * *", "Europe/London", dst=dst)
    assert ticks(cron, "2026-10-25", 25) == ran


def test_a_stepped_time_keeps_its_spacing_through_both_changes() -> None:
    cron = Cron("*/20 * * * *", "Europe/London")
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        start = datetime.fromisoformat(day).replace(tzinfo=cron.tz)
        found = list(cron.between(start, start.astimezone(UTC) + hours * DAY / 24))
        seconds = [int(tick.timestamp()) for tick in found]
        assert len(found) == hours * 3
        assert {b - a for a, b in pairwise(seconds)} == {1200}


def test_several_fixed_times_in_one_gap_are_one_tick() -> None:
    cron = Cron("0,15,30,45 1,2 * * *", "Europe/London")
    assert ticks(cron, "2026-03-29", 2) == [
        "02:00+0100",
        "02:15+0100",
        "02:30+0100",
        "02:45+0100",
    ]


def test_a_day_that_begins_with_a_gap_has_its_midnight_job_at_its_first_instant() -> (
    None
):
    assert ticks(Cron("0 0 * * *", "Africa/Cairo"), "2026-04-23 12:00") == [
        "01:00+0300"
    ]


def test_a_day_that_a_country_skipped_has_its_jobs_when_the_next_begins() -> None:
    cron = Cron("0 7 * * *", "Pacific/Apia")
    found = cron.between(
        datetime(2011, 12, 29, 10, tzinfo=cron.tz),
        datetime(2011, 12, 31, 10, tzinfo=cron.tz),
    )
    assert [f"{tick:%d %H:%M}" for tick in found] == ["31 00:00", "31 07:00"]


def test_the_second_pass_has_its_fold_set() -> None:
    cron = Cron("*/30 * * * *", "Europe/London")
    first = cron.next_after(datetime(2026, 10, 25, 0, 29, tzinfo=UTC))
    second = cron.next_after(datetime(2026, 10, 25, 1, 29, tzinfo=UTC))
    assert (first.fold, second.fold) == (0, 1)
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)


def test_without_a_zone_it_is_utc() -> None:
    cron = Cron("0 7 * * *")
    assert cron.next_after(NOON).isoformat() == "2026-03-29T07:00:00+00:00"
    assert cron.describe().endswith(", UTC")


def test_the_next_tick_is_later_than_the_instant_and_never_the_same() -> None:
    cron = Cron("0 12 * * *")
    assert cron.next_after(NOON) == NOON + DAY
    assert cron.next_after(NOON - timedelta(microseconds=1)) == NOON
    assert cron.next_after(NOON + timedelta(microseconds=1)) == NOON + DAY


def test_between_has_its_start_and_not_its_end() -> None:
    cron = Cron("0 12 * * *")
    assert list(cron.between(NOON, NOON + DAY)) == [NOON]
    later = timedelta(microseconds=1)
    assert list(cron.between(NOON + later, NOON + DAY + later)) == [NOON + DAY]
    assert list(cron.between(NOON + DAY, NOON)) == []


def test_six_fields_begin_with_the_seconds() -> None:
    found = Cron("*/20 30 6 * * *").between(NOON, NOON + DAY)
    assert [f"{tick:%H:%M:%S}" for tick in found] == [
        "06:30:00",
        "06:30:20",
        "06:30:40",
    ]


@pytest.mark.parametrize(
    ("nickname", "meaning"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@Yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_a_nickname_means_its_five_fields_with_an_id_too(
    nickname: str, meaning: str
) -> None:
    wanted = Cron(meaning).next_after(NOON)
    assert Cron(nickname).next_after(NOON) == wanted
    assert Cron(nickname, id="report").next_after(NOON) == wanted


def test_a_naive_datetime_is_refused_at_once() -> None:
    cron, naive = Cron("@daily"), datetime(2026, 1, 1)  # noqa: DTZ001  (the case)
    with pytest.raises(NaiveDatetime, match="has no time zone: use"):
        cron.next_after(naive)
    with pytest.raises(NaiveDatetime):
        cron.between(naive, NOON)
    with pytest.raises(NaiveDatetime):
        cron.between(NOON, naive)


@pytest.mark.parametrize("year", [1, 1969, 2202, 9999])
def test_a_year_outside_the_range_is_refused(year: int) -> None:
    with pytest.raises(InvalidSchedule, match="1970 to 2200"):
        Cron("@daily", "Asia/Tokyo").next_after(datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("name", ["Asia/Tokyo", "America/Los_Angeles"])
def test_the_range_works_from_its_first_day_to_its_last(name: str) -> None:
    cron = Cron("@daily", name)
    first = cron.next_after(datetime(1970, 1, 1, tzinfo=UTC))
    assert first.astimezone(UTC).date().isoformat() == "1970-01-01"
    last = cron.next_after(datetime(2200, 12, 29, tzinfo=UTC))
    assert last.year == 2200
    with pytest.raises(InvalidSchedule, match="has no tick after"):
        cron.next_after(datetime(2200, 12, 31, 23, 59, tzinfo=UTC))


def test_the_rarest_expressions_are_found() -> None:
    assert Cron("0 0 29 2 */7").next_after(NOON).year == 2032
    century = datetime(2080, 3, 1, tzinfo=UTC)
    assert Cron("0 0 29 2 */7").next_after(century).year == 2088
    assert Cron("0 0 29 2 *").next_after(datetime(2096, 3, 1, tzinfo=UTC)).year == 2104


def test_h_is_stable_for_an_id_and_spreads_over_ids() -> None:
    def at(id_: str) -> datetime:
        return Cron("H H * * *", id=id_).next_after(NOON)

    # A schedule must not move with an upgrade: these are for ever.
    assert f"{at('report'):%H:%M}" == "11:18"
    assert f"{at('cleanup'):%H:%M}" == "06:19"
    assert len({at(f"job-{number}") for number in range(200)}) > 150


@pytest.mark.parametrize(
    ("expression", "gaps"),
    [
        ("H/15 * * * *", {15}),
        ("H(10-29)/10 * * * *", {10, 50}),
        ("H(0-4) * * * *", {60}),
    ],
)
def test_h_keeps_its_step_and_range(expression: str, gaps: set[int]) -> None:
    for number in range(50):
        cron = Cron(expression, id=f"job-{number}")
        found = list(cron.between(NOON, NOON + DAY))
        minute = timedelta(minutes=1)
        assert {(b - a) // minute for a, b in pairwise(found)} == gaps


def test_h_as_a_day_of_the_month_is_one_that_every_month_has() -> None:
    for number in range(60):
        cron = Cron("0 0 H * *", id=f"job-{number}")
        year = cron.between(NOON, NOON.replace(year=2027))
        assert len(list(year)) == 12


def test_equal_arguments_make_equal_crons() -> None:
    one, two = Cron("0 7  * * MON", "Asia/Tokyo"), Cron("0 7 * * mon", "Asia/Tokyo")
    assert one == two
    assert len({one, two}) == 1
    assert one != Cron("0 7 * * mon")
    assert one != Cron("0 7 * * mon", "Asia/Tokyo", dst="skip")
    assert Cron("@daily") == Cron("@daily", UTC) == Cron("@daily", "UTC")
    assert one != "0 7 * * mon"


def test_nothing_of_it_can_be_changed() -> None:
    cron = Cron("@daily")
    for name in ("expression", "tz", "dst", "id", "other"):
        with pytest.raises(AttributeError):
            setattr(cron, name, "x")


def test_its_repr_makes_it_again() -> None:
    cron = Cron("0 H * * *", "Asia/Tokyo", dst="skip", id="x")
    assert repr(cron) == "Cron('0 H * * *', tz='Asia/Tokyo', dst='skip', id='x')"
    assert eval(repr(cron), {"Cron": Cron}) == cron  # noqa: S307  (what a repr is for)
    assert repr(Cron("@daily")) == "Cron('@daily', tz='UTC')"


def test_it_and_its_ticks_can_be_pickled_and_copied() -> None:
    cron = Cron("0 H * * *", "Europe/London", dst="strict", id="x")
    tick = cron.next_after(NOON)
    for again in (pickle.loads(pickle.dumps(cron)), copy.deepcopy(cron)):  # noqa: S301  (our own bytes)
        assert again == cron
        assert hash(again) == hash(cron)
        assert again.next_after(NOON) == tick
    assert pickle.loads(pickle.dumps(tick)).isoformat() == tick.isoformat()  # noqa: S301  (our own bytes)


def test_a_fixed_offset_is_a_zone_too() -> None:
    cron = Cron("0 7 * * *", timezone(timedelta(hours=5, minutes=30)))
    assert cron.next_after(NOON).isoformat() == "2026-03-29T07:00:00+05:30"
    assert cron.describe() == "at 07:00 every day, UTC+05:30"


class NamedLikePytz(tzinfo):
    """As pytz's zones: a name, and offsets that are wrong until they are localized."""

    zone = "Europe/London"

    def utcoffset(self, _: datetime | None) -> timedelta:
        return -timedelta(minutes=1)

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return "LMT"


def test_a_zone_of_pytz_or_of_zoneinfo_is_taken_by_its_name() -> None:
    for given_zone in (NamedLikePytz(), ZoneInfo("Europe/London")):
        assert Cron("@daily", given_zone).tz is zone("Europe/London")


def test_many_threads_can_ask_one_cron() -> None:
    cron = Cron("*/7 * * * *", "Europe/London")
    start = datetime(2026, 10, 1, tzinfo=UTC)
    wanted = list(Cron("*/7 * * * *", "Europe/London").between(start, start + 40 * DAY))
    found: list[list[datetime]] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(list(cron.between(start, start + 40 * DAY)))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 8


CRONS = st.sampled_from(
    [
        Cron(expression, name, dst=dst)
        for expression in ("*/13 * * * *", "30 1,2 * * *", "0 0 L * *", "5 0 * * sun")
        for name in ("Europe/London", "Africa/Cairo", "Australia/Lord_Howe", "UTC")
        for dst in cast("tuple[Dst, ...]", ("vixie", "strict", "skip"))
    ]
)
MOMENTS = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001  (hypothesis adds the zone)
    datetime(2200, 10, 1),  # noqa: DTZ001  (likewise)
    timezones=st.sampled_from([UTC, zone("America/New_York"), zone("Asia/Tokyo")]),
)


@settings(max_examples=300, deadline=None)
@given(cron=CRONS, moment=MOMENTS)
def test_the_next_tick_is_always_later(cron: Cron, moment: datetime) -> None:
    tick = cron.next_after(moment)
    assert tick.timestamp() > moment.timestamp()
    assert cron.next_after(tick).timestamp() > tick.timestamp()
    assert tick.astimezone(UTC).astimezone(cron.tz).fold == tick.fold


@settings(max_examples=100, deadline=None)
@given(cron=CRONS, moment=MOMENTS, hours=st.integers(0, 60))
def test_between_is_the_next_tick_again_and_again(
    cron: Cron, moment: datetime, hours: int
) -> None:
    start = moment.astimezone(UTC)
    end = start + timedelta(hours=hours)
    stepped: list[datetime] = []
    tick = cron.next_after(start - timedelta(microseconds=1))
    while tick.astimezone(UTC) < end:
        stepped.append(tick)
        tick = cron.next_after(tick)
    assert list(cron.between(start, end)) == stepped


@settings(max_examples=100, deadline=None)
@given(cron=CRONS, moment=MOMENTS, earlier=st.integers(1, 86400))
def test_an_earlier_question_never_has_a_later_answer(
    cron: Cron, moment: datetime, earlier: int
) -> None:
    late = moment.astimezone(UTC)
    early = late - timedelta(seconds=earlier)
    assert cron.next_after(early).timestamp() <= cron.next_after(late).timestamp()
