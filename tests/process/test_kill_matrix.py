"""Each kind of victim, each signal, each instant of a job: its ledger is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.matrix import SOME, run

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.faults import Yard
    from tests.support.server import Server


def test_whoever_is_struck_jobs_run_once_unless_a_kill_is_to_blame(
    yard: Yard, store: Store, server: Server
) -> None:
    assert run(SOME, yard, store, server) == []
