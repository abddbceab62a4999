"""Which queues a worker serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.config import Project
from flow.registry import Declaration, Registry
from flow.workers.roles import queues


@pytest.fixture
def tasks() -> Registry:
    """An app with three queues of its own."""
    registry = Registry()
    for name in ("mail", "reports", "default"):
        registry.add(Declaration(f"shop.{name}", len, f"shop.{name}", queue=name))
    registry.add(Declaration("shop.charge", len, "shop.charge", urgent=True))
    return registry


HERE = Path("shop")


def test_a_worker_serves_the_urgent_lane_first_and_default_always(
    tasks: Registry,
) -> None:
    assert queues(Project(HERE), Registry()) == ("urgent", "default")
    assert queues(Project(HERE), tasks) == ("urgent", "mail", "reports", "default")


def test_a_project_may_name_further_queues_and_another_lane(tasks: Registry) -> None:
    project = Project(HERE, urgent="express", queues=("low", "mail"))
    assert queues(project, tasks) == ("express", "mail", "reports", "default", "low")


def test_an_urgent_worker_serves_its_lane_alone(tasks: Registry) -> None:
    project = Project(HERE, urgent="express")
    assert queues(project, tasks, urgent=True) == ("express",)


def test_chosen_queues_are_served_in_their_order_and_once(tasks: Registry) -> None:
    chosen = ("default", "urgent", "default")
    assert queues(Project(HERE), tasks, chosen=chosen) == ("default", "urgent")
