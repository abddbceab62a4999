"""Jobs that are no pickles: a worker reads what it was told to, and nothing else."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from flow import codec, errors
from flow.record import Invocation
from flow.store.rq import serializer
from tests.support.apps import RQ, Shop, Untyped
from tests.support.shop import callbacks, plain

if TYPE_CHECKING:
    from collections.abc import Iterator


FLOWS = ("--worker-class", "flow.workers.Worker")


@pytest.fixture
def json_is_used() -> Iterator[None]:
    codec.use(serializer("json"))
    yield
    codec.use(None)


@pytest.mark.parametrize("command", ["flow worker", "rq worker"])
def test_a_worker_that_was_told_json_runs_jobs_of_rqs_json_serializer(
    command: str, shop: Shop, client: Untyped
) -> None:
    queue = RQ.Queue(connection=client, serializer="json")
    succeeded = RQ.Callback(callbacks.succeeded)
    job = queue.enqueue(plain.add, 1, other=2, on_success=succeeded)
    listed = queue.enqueue("builtins.sorted", [3, 1, 2], meta={"who": "ann"})
    refused = queue.enqueue("builtins.set", [1])
    pickled = RQ.Queue(connection=client).enqueue(plain.add, 1)
    if command == "flow worker":
        shop.work("--serializer", "json")
    else:
        shop.rq_work(*FLOWS, "--serializer", "json")
    assert (job.return_value(), listed.return_value()) == (3, [1, 2, 3])
    assert client.lrange(f"told:{job.id}", 0, -1) == [
        b"finished: tests.support.shop.plain.add returned 3"
    ]
    told = refused.latest_result().exc_string
    assert "Object of type set is not JSON serializable" in told
    # It may be anybody's pickle, and to read one is to run it.
    told = pickled.latest_result().exc_string
    assert "UnreadableJob: the job's data cannot be read" in told


def test_a_worker_that_was_told_nothing_reads_no_json(
    shop: Shop, client: Untyped
) -> None:
    job = RQ.Queue(connection=client, serializer="json").enqueue(plain.add, 1)
    shop.work()
    assert job.get_status().value == "failed"


def test_a_serializer_that_is_none_is_refused(shop: Shop) -> None:
    with pytest.raises(AssertionError, match="flow: there is no serializer 'yaml'"):
        shop.work("--serializer", "yaml")


@pytest.mark.usefixtures("json_is_used")
def test_calls_results_and_meta_go_through_the_serializer() -> None:
    call = Invocation("a.b", (1,), {"c": [2]})
    packed = codec.pack_invocation(call)
    assert packed == b'["a.b", null, [1], {"c": [2]}]'
    assert codec.unpack_invocation(packed) == call
    assert codec.unpack_result(codec.pack_result({"a": 1})) == {"a": 1}
    with pytest.raises(errors.InvalidCall, match="not JSON serializable"):
        codec.pack_result({1, 2})
    with pytest.raises(errors.UnreadableJob):
        codec.unpack_invocation(pickle.dumps(("a.b", None, (), {})))


@pytest.mark.parametrize("worker_class", [FLOWS, ()])
@pytest.mark.leaves_keys("RQ's worker keeps a failure's results for ever")
def test_exception_handlers_hear_of_each_failure_until_one_says_no(
    worker_class: tuple[str, ...], shop: Shop, client: Untyped
) -> None:
    queue = RQ.Queue(connection=client)
    job = queue.enqueue(plain.explode, "it", retry=RQ.Retry(max=1))
    shop.rq_work(
        *worker_class,
        *("--exception-handler", "tests.support.shop.callbacks.handled"),
        *("--exception-handler", "tests.support.shop.callbacks.enough"),
        *("--exception-handler", "tests.support.shop.callbacks.broken"),
    )
    heard = [b"failed: builtins.RuntimeError: it exploded", b"enough"] * 2
    assert client.lrange(f"told:{job.id}", 0, -1) == heard
    assert job.get_status().value == "failed"
