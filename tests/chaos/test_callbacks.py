"""A callback that always kills its process does not do so for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.process.conftest import yard
from tests.process.test_worker_callbacks import enqueued, queue, told
from tests.support.shop import deadly

if TYPE_CHECKING:
    from tests.support.faults import Yard

Untyped = Any  # redis-py and RQ are typed in part
__all__ = ["queue", "yard"]


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_callback_that_always_kills_its_process_ends_as_a_dead_letter(
    yard: Yard, queue: Untyped, client: Untyped, *, ends_well: bool
) -> None:
    work = deadly.work if ends_well else deadly.fail
    job = enqueued(yard, queue, work, deadly.kills)
    yard.burst()
    # Three crashes of the job; then its failure callback is a job, with as many.
    assert told(yard) == [work.__name__, "callback"] * 3 + ["callback"] * 3
    assert job.get_status().value == "failed"
    assert "the job's process died: signal 9" in job.latest_result().exc_string
    letters = client.zrange("rq:failed:default", 0, -1)
    assert sorted(letters) == sorted([job.id.encode(), *_tellers(client, job)])


def _tellers(client: Untyped, job: Untyped) -> list[bytes]:
    names = client.keys(f"rq:job:{job.id}-*")
    return [name.removeprefix(b"rq:job:") for name in names]
