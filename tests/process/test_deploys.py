"""Jobs that run while another release takes over: finished or put back, uncounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow import keys
from flow.runner.declared.procfile import read
from tests.runner.asking import flow
from tests.runner.started import ROOT, Started
from tests.support import hazards
from tests.support.faults import APP, let_go
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.faults import Yard

WORKER = "worker: flow worker --processes 1 --grace {grace}\n"


def started(yard: Yard, grace: str) -> Started:
    (yard.folder / "Procfile").write_text(WORKER.format(grace=grace))
    (yard.folder / "flow.toml").write_text(
        '[processes.worker]\nready = "log:worker is up"\n'
    )
    assert read(yard.folder / "Procfile").types
    return Started(yard.folder, "start", environ=_environ(yard))


def _environ(yard: Yard) -> dict[str, str]:
    return {"REDIS_URL": yard.url, "FLOW_APP": APP, "PYTHONPATH": str(ROOT)}


def crashes(store: Store, job_id: str) -> int:
    return int(store.link.command("HGET", keys.job(job_id), "flow_crashes") or 0)


def test_a_job_ends_on_the_release_that_began_it(yard: Yard, store: Store) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with started(yard, "60") as session:
        yard.running()
        with Started(yard.folder, "deploy") as deploy:
            session.wait_for(b"worker stops (SIGTERM)")
            let_go(gate)
            assert deploy.end() == 0
        assert job.result(60) == "go"
        assert len(yard.noted()) == 1
        assert crashes(store, job.id) == 0
        flow(yard.folder, "stop")
        assert session.end() == 0


def test_a_job_that_does_not_end_in_time_is_run_again_by_the_next_release(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with started(yard, "0.5") as session:
        yard.running()
        assert "v1 is the current release" in flow(yard.folder, "deploy")
        wait_until(
            lambda: len(yard.noted()) == 2, timeout=60, waiting_for="its second run"
        )
        let_go(gate)
        assert job.result(60) == "go"
        assert crashes(store, job.id) == 0
        flow(yard.folder, "stop")
        assert session.end() == 0
