"""A timetable on a real server, and a clock that turns when a test says so."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from flow import events
from flow.config import Project
from flow.store import current
from tests.scheduler.turning import Turning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from flow.store.client import Store


@pytest.fixture
def clock(store: Store, tmp_path: Path) -> Iterator[Turning]:
    """A clock of the app ``shop``, turned by hand."""
    before = current.project()
    current.use(store, Project(tmp_path, name="shop"))
    with contextlib.ExitStack() as stack:
        stack.callback(current.use, store, before)
        yield Turning(store)


@pytest.fixture
def happened() -> Iterator[list[events.Event]]:
    """What happens from now on."""
    told: list[events.Event] = []
    listening = [True]

    def listen(happened: Sequence[events.Event]) -> None:
        if listening:
            told.extend(happened)

    events.listen(listen)
    yield told
    listening.clear()
