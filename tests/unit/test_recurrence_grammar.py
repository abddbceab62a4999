"""What a cron expression may say, and what a refusal tells to write instead."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import InvalidSchedule
from flow.recurrence import Cron

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
WEEK = datetime(2026, 4, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("5-5 * * * *", "minute has '5-5', a range of one: write 5"),
        ("* * * * mon-mon", "a range of one: write mon"),
        ("* * * * 1/2", "day of week has '1/2', whose end is unclear: write mon-sat/2"),
        ("* * * * 6/1", "whose end is unclear: write sat"),
        ("* * * * sun/3", "write sun-sat/3"),
        ("* 22-2 * * *", "hour has '22-2', which wraps: write 22-23,0-2"),
        ("* 23-0 * * *", "write 23,0"),
        ("* * * nov-feb *", "write nov,dec,jan,feb"),
        ("* * * * sat-sun", "write sat,sun"),
        ("* * * * fri-mon/2", "write fri,sat,sun,mon"),
        ("* * * * 6-0", "write sat,sun"),
        ("59/15 * * * *", "steps past the end: write 59"),
        ("* 20/4 * * *", "steps past the end: write 20"),
        ("*/90 * * * *", "a step is from 1 to 60"),
        ("*/0 * * * *", "a step is from 1 to 60"),
        ("* */25 * * *", "a step is from 1 to 24"),
        ("*,5 * * * *", "has '*' in a list, which is every value: write *"),
        ("3,*/5 * * * *", "has '*/5' inside a list: put it first"),
        ("60 * * * *", "minute has '60': its values are 0 to 59"),
        ("0 24 * * *", "hour has '24': its values are 0 to 23"),
        ("0 0 0 * *", "day of month has '0': its values are 1 to 31"),
        ("0 0 * 13 *", "month has '13': its values are 1 to 12 or jan to dec"),
        ("0 0 * 0-5 *", "month has '0'"),
        ("0 0 * * 8", "day of week has '8': its values are 0 to 7 or sun to sat"),
        ("0 0 * * monday", "day of week has 'monday'"),
        ("0 0 * * jan", "day of week has 'jan'"),
        ("0 0 * mon *", "month has 'mon'"),
        ("-1 * * * *", "minute has '-1'"),
        ("1- * * * *", "minute has '1-'"),
        (", * * * *", "minute has ''"),
        ("1,,2 * * * *", "minute has ''"),
        ("*5 * * * *", "minute has '*5'"),
        ("5/* * * * *", "minute has '5/*'"),
        ("1-5-9 * * * *", "minute has '1-5-9'"),
        ("? * * * *", "minute has '?': write *"),
        ("* * ?,1 * *", "day of month has '?'"),
        ("0 0 LW * *", "day of month has 'lw'"),
        ("0 0 L-3 * *", "L for the last day, or 15W"),
        ("0 0 32W * *", "day of month has '32w'"),
        ("0 0 1,15W * *", "has W in a list: write one schedule for each"),
        ("0 0 * * 5L", "write L5 for the last Friday of the month"),
        ("0 0 * * L", "write L5 for the last Friday of the month"),
        ("0 0 * * fri#6", "write fri#2 for the second Friday"),
        ("0 0 * * mon-fri#1", "write fri#2 for the second Friday"),
        ("0 0 * * 1,1#2", "mixes '1#2' with plain days: write two schedules"),
        ("0 0 * * *,L5", "in a list"),
        ("R * * * *", "R, which changes at each start: write H"),
        ("R(0-9)/2 * * * *", "R, which changes at each start: write H"),
        ("H * * * *", "needs an id: give id="),
        ("@reboot", "is no nickname: known are @yearly"),
        ("", "has 0 fields: write five"),
        ("* * * *", "has 4 fields: write five"),
        ("* * * * * * 2026", "has 7 fields: write five"),
        ("\u0661 * * * *", "not ASCII"),
        ("9" * 5000 + " * * * *", "minute has '99999999999999999999'"),
        ("0 0 30 2 *", "never fires: no date matches; check its day and month"),
        ("0 0 31 4,6 *", "never fires"),
    ],
)
def test_what_is_unclear_is_refused_with_what_to_write(
    expression: str, advice: str
) -> None:
    with pytest.raises(InvalidSchedule) as refusal:
        Cron(expression)
    message = str(refusal.value)
    assert message.startswith("cron '")
    assert advice in message
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("H,5 * * * *", "H in a list: write H alone"),
        ("H(5-5) * * * *", "write a rising range within H(0-59)"),
        ("H(9-5) * * * *", "write a rising range within H(0-59)"),
        ("H(0-99) * * * *", "write a rising range within H(0-59)"),
        ("0 0 * * H(0-7)", "write a rising range within H(0-6)"),
        ("H/0 * * * *", "must step from 1 to 60"),
        ("H/61 * * * *", "must step from 1 to 60"),
        ("H(0-9)/20 * * * *", "must step from 1 to 10"),
        ("0 0 * H * H#2", "day of week has 'h#2'"),
    ],
)
def test_a_wrong_h_is_refused(expression: str, advice: str) -> None:
    with pytest.raises(InvalidSchedule) as refusal:
        Cron(expression, id="report")
    assert advice in str(refusal.value)


def test_a_wrong_mode_is_refused() -> None:
    with pytest.raises(InvalidSchedule, match="write 'vixie', 'strict' or 'skip'"):
        Cron("@daily", dst="posix")  # type: ignore[arg-type]  # the case


def test_times_that_always_fall_into_the_gap_never_fire() -> None:
    expression = "30 1 * 3 L0"
    assert Cron(expression, "Europe/London").next_after(NOON).hour == 2
    with pytest.raises(InvalidSchedule, match="where the clocks go forward"):
        Cron(expression, "Europe/London", dst="strict")


@pytest.mark.parametrize("step", range(1, 8))
@pytest.mark.parametrize("first", range(7))
def test_a_range_to_seven_ends_on_sunday(first: int, step: int) -> None:
    cron = Cron(f"0 12 * * {first}-7/{step}")
    wanted = {day % 7 for day in range(first, 8, step)}
    found = {tick.isoweekday() % 7 for tick in cron.between(NOON, WEEK)}
    assert found == wanted


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("5/15 * * * *", "5-59/15 * * * *"),
        ("0 0 * JAN-Mar MON", "0 0 * 1-3 1"),
        ("05 007 * * *", "5 7 * * *"),
        ("0\t0 \n * * *", "0 0 * * *"),
        ("0 0 ? * fri", "0 0 * * fri"),
        ("0 0 15-L * *", "0 0 15-31 * *"),
        ("0 0 W15 * *", "0 0 15W * *"),
        ("0 0 * * 7", "0 0 * * sun"),
        ("0 0 * * 0-7", "0 0 * * *"),
        ("*/60 */24 * * *", "0 0 * * *"),
        ("0 0 12 * * fri-7", "0 12 * * 0,5,6"),
        ("0 0 12 * * 7#2,L7", "0 12 * * sun#2,L0"),
    ],
)
def test_two_ways_to_write_one_schedule(expression: str, same: str) -> None:
    end = NOON.replace(year=2027)
    ticks = list(Cron(expression).between(NOON, end))
    assert ticks == list(Cron(same).between(NOON, end))
    assert ticks


@settings(max_examples=400, deadline=None)
@given(st.text("0123456789*/-,#?LWHRhl@ \tsunjan()\x00\u00e9", max_size=25))
def test_any_text_is_understood_or_refused_in_one_line(text: str) -> None:
    try:
        cron = Cron(text, id="x")
    except InvalidSchedule as error:
        assert str(error).startswith("cron ")  # noqa: PT017  (most draws raise, not all)
        assert "\n" not in str(error)  # noqa: PT017  (likewise)
    else:
        assert cron.next_after(NOON) > NOON
        assert cron.describe()
