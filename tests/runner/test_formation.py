from __future__ import annotations

import pytest

from flow.errors import ProcfileError
from flow.runner.declared import formation, procfile

LISTED = procfile.parse("release: r\nweb: w\nworker: k\nclock: c\n", "Procfile")


def ports(names: tuple[str, ...] = (), wanted: str = "") -> dict[str, int]:
    counts = formation.counts(wanted) if wanted else {}
    found = formation.instances(LISTED, names, counts, 5001)
    return {instance.name: instance.port for instance in found}


def test_ports_are_100_apart_per_type_and_the_release_takes_none() -> None:
    assert ports() == {"web.1": 5001, "worker.1": 5101, "clock.1": 5201}


def test_ports_are_1_apart_per_instance() -> None:
    expected = {"web.1": 5001, "web.2": 5002, "worker.1": 5101, "clock.1": 5201}
    assert ports(wanted="web=2") == expected


def test_ports_do_not_move_when_only_some_types_start() -> None:
    assert ports(("clock",)) == {"clock.1": 5201}


def test_the_order_is_the_procfiles() -> None:
    assert list(ports(("clock", "web", "clock"))) == ["web.1", "clock.1"]


def test_all_stands_for_each_type_that_is_not_named() -> None:
    assert ports(wanted="web=1,all=0") == {"web.1": 5001}
    assert len(ports(wanted="all=2")) == 6


@pytest.mark.parametrize("text", ["web", "web=", "=2", "web=-1", "web=x", "web=2,,"])
def test_a_formation_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ProcfileError, match="not of the form web=2,worker=3"):
        formation.counts(text)


@pytest.mark.parametrize(
    ("names", "wanted", "message"),
    [
        (("wrk",), "", "no process 'wrk'; it has: web, worker, clock"),
        ((), "wrk=2", "no process 'wrk'"),
        ((), "release=1", "release is no process"),
        (("release",), "", "release is no process"),
        (("web",), "worker=2", "names worker, which is not among the processes"),
        ((), "all=0", "leaves no process"),
    ],
)
def test_a_formation_that_cannot_be_is_refused(
    names: tuple[str, ...], wanted: str, message: str
) -> None:
    with pytest.raises(ProcfileError, match=message):
        ports(names, wanted)


def test_a_port_above_the_highest_is_refused() -> None:
    with pytest.raises(ProcfileError, match=r"clock\.1 would get port 65700"):
        formation.instances(LISTED, (), {}, 65500)
