"""A yard for tests that start workers; nothing may be left running in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.faults import Yard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flow.store.client import Store
    from tests.support.server import Server


@pytest.fixture
def yard(server: Server, store: Store, tmp_path: Path) -> Iterator[Yard]:
    assert store.link.address.url == server.url
    yard = Yard(server.url, tmp_path)
    yield yard
    yard.nothing_left()
