"""Agenda: several services in one thread; none of them can end the loop."""

from __future__ import annotations

from itertools import pairwise

import pytest
from redis.exceptions import ResponseError

from flow import events, service
from flow.errors import FlowError, ServerUnreachable
from flow.service import Agenda, Service


class Counting(Service):
    """Counts its turns; raises what it is told to."""

    def __init__(self, interval: float, error: Exception | None = None) -> None:
        self.interval = interval
        self.turns = 0
        self.wanted: float | None = None
        self.error = error

    def run_once(self) -> float | None:
        self.turns += 1
        if self.error:
            raise self.error
        return self.wanted


def test_everything_is_due_at_first_and_then_at_its_interval() -> None:
    now = [0.0]
    often, seldom = Counting(1.0), Counting(5.0)
    agenda = Agenda([often, seldom], lambda: now[0])
    for second in range(10):
        now[0] = float(second)
        agenda.run_due()
    assert (often.turns, seldom.turns) == (10, 2)
    assert agenda.wait() == 1.0


def test_a_turn_may_say_when_the_next_is_due() -> None:
    service = Counting(100.0)
    agenda = Agenda([service], lambda: 0.0)
    service.wanted = 0.25
    agenda.run_due()
    assert agenda.wait() == 0.25


def test_a_service_can_be_hurried() -> None:
    service = Counting(100.0)
    agenda = Agenda([service], lambda: 0.0)
    agenda.run_due()
    agenda.hurry(service, 3.0)
    agenda.hurry(service, 50.0)
    assert agenda.wait() == 3.0


@pytest.mark.parametrize(
    "error",
    [
        FlowError("no"),
        ResponseError("WRONGTYPE of a key that others spoilt"),
        KeyError("a fault of ours"),
    ],
)
def test_a_service_that_fails_is_run_again_and_holds_up_nobody(
    error: Exception,
) -> None:
    now = [0.0]
    broken, well = Counting(1.0, error), Counting(1.0)
    agenda = Agenda([broken, well], lambda: now[0])
    for second in range(3):
        now[0] = float(second)
        agenda.run_due()
    assert (broken.turns, well.turns) == (3, 3)


def test_what_goes_on_failing_alike_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, said = [0.0], list[events.Event]()
    monkeypatch.setattr(service, "emit", said.append)
    broken = Counting(1.0)
    agenda = Agenda([broken], lambda: now[0])
    for second, why in enumerate(["a", "a", "b", "b", "", "b"]):
        now[0], broken.error = float(second), KeyError(why) if why else None
        agenda.run_due()
    told = [one.error for one in said if isinstance(one, events.UpkeepFailed)]
    assert told == ["'a'", "'b'", "'b'"]


def test_while_the_server_is_away_one_service_a_round_tries() -> None:
    # Each may wait for half a minute, and a signal would wait for them all.
    now = [0.0]
    services = [Counting(100.0, ServerUnreachable("away")) for _ in range(3)]
    agenda = Agenda(services, lambda: now[0])
    for round_ in range(1, 4):
        agenda.run_due()
        assert sum(service.turns for service in services) == round_
        now[0] += agenda.wait()
    assert [service.turns for service in services] == [1, 1, 1]


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_tries_to_reach_a_server_come_ever_more_seldom(chance: float) -> None:
    now, waits = [0.0], list[float]()
    away = [Counting(0.01, ServerUnreachable("away")) for _ in range(5)]
    at_home = Counting(1.0)
    at_home.asks_server = False
    agenda = Agenda([at_home, *away], lambda: now[0], lambda: chance)
    while now[0] < 20.0:
        before = sum(service.turns for service in away)
        agenda.run_due()
        if sum(service.turns for service in away) > before:
            waits.append(now[0])
        now[0] += max(0.001, agenda.wait())
    between = [b - a for a, b in pairwise(waits)]
    assert between[:3] == pytest.approx(
        [pause * (1 + chance) / 2 for pause in (0.25, 0.5, 1.0)], abs=0.01
    )
    assert max(between) == pytest.approx(1 + chance, abs=0.01)
    assert at_home.turns == 20  # what asks no server goes on


def test_an_outage_is_said_once_and_its_end_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, said = [0.0], list[events.Event]()
    monkeypatch.setattr(service, "emit", said.append)
    away, silent = Counting(1.0, ServerUnreachable("away")), Counting(1.0)
    agenda = Agenda([away, silent], lambda: now[0])
    for second in range(6):
        now[0] = float(second)
        agenda.run_due()
        agenda.run_due()
    # The silent one asks the server nothing: that it goes well ends no outage.
    assert [type(event) for event in said] == [events.ServerAway]
    away.error = None
    for second in range(9, 12):
        now[0] = float(second)
        agenda.run_due()
    assert [type(event) for event in said] == [events.ServerAway, events.ServerBack]
