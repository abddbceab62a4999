"""A schedule through every change of the clocks, restarted inside each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flow.recurrence import Cron, zone
from flow.scheduler.plan import Plan
from flow.store.entry import Due, Rule
from tests.support.cron_oracle import changes

ZONES = (
    *("Europe/London", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll"),
    *("Africa/Cairo", "Asia/Beirut", "Europe/Dublin"),
)
EXPRESSIONS = ("30 1 * * *", "*/20 * * * *", "0 0 * * *", "15 2,3 * * *")
SPAN = timedelta(hours=6)
STEP = 7 * 60_000  # ms between two looks of the clock, which meets no tick exactly


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_tick_fires_once_through_a_change(name: str, expression: str) -> None:
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    cron = Cron(expression, tz=name)
    found = changes(zone(name), begin, end)
    assert found
    for change in found:
        start = change - SPAN
        expected = [_ms(t) for t in cron.between(start, change + SPAN)]
        assert _walked(Rule("cron", expression, name), start, change + SPAN) == expected


def _walked(rule: Rule, start: datetime, end: datetime) -> list[int]:
    """Return the ticks that fire when a clock looks each seven minutes, anew."""
    cursor = _ms(Cron(rule.spec, tz=rule.tz).next_after(start - timedelta(seconds=1)))
    fired: list[int] = []
    for now in range(_ms(start), _ms(end) + STEP, STEP):
        due = Due("beat", str(cursor), "r", rule, '{"catch_up": "all"}')
        for step in Plan(due, now).steps():
            if step.what == "aside":
                continue  # nothing is due yet
            assert step.at <= now
            assert step.cursor == str(cursor)
            fired.append(step.first)
            assert step.following is not None
            cursor = step.following
    return [tick for tick in fired if tick < _ms(end)]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
