"""The whole kill matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.process.conftest import yard
from tests.support.matrix import ALL, run

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.faults import Yard
    from tests.support.server import Server

__all__ = ["yard"]


def test_every_ledger_is_exact(yard: Yard, store: Store, server: Server) -> None:
    assert run(ALL, yard, store, server) == []
