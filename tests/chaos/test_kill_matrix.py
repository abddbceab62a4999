"""The whole kill matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.process.conftest import yard
from tests.support.matrix import ALL, KINDS, run

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.faults import Yard
    from tests.support.server import Server

__all__ = ["yard"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_ledger_is_exact(
    yard: Yard, store: Store, server: Server, kind: str
) -> None:
    cells = [cell for cell in ALL if cell.kind == kind]
    assert run(cells, yard, store, server) == []
