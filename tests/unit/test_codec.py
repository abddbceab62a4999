"""The codec: what flow writes, RQ reads; what RQ writes, flow reads."""

from __future__ import annotations

import json
import math
import pickle
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rq.utils import str_to_date

from flow import codec
from flow.errors import InvalidCall, UnreadableJob
from flow.record import Claim, Extras, Invocation, JobRecord
from tests.support.apps import RQ, Untyped

NOWHERE = redis.Redis()  # never connects: RQ's objects want to have one

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
simple = st.sampled_from(
    [None, True, -1, 2**70, 0.5, "", "a\n\x00", b"\xff", "y" * 999]
)
values = simple | st.lists(simple, max_size=3) | st.dictionaries(simple, simple)
invocations = st.builds(
    Invocation,
    st.text(min_size=1, max_size=9),
    st.lists(values, max_size=3).map(tuple),
    st.dictionaries(st.sampled_from("abcd"), values, max_size=3),
)


def as_rq_reads(job: JobRecord, now: float = 0.0) -> Untyped:
    flat = codec.fields(job, now)
    raw = {
        str(name).encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in zip(flat[::2], flat[1::2], strict=True)
    }
    seen = RQ.job.Job(job.id, connection=NOWHERE)
    seen.restore(raw)
    return seen


@relaxed
@given(invocations)
def test_a_call_comes_back_as_it_was(invocation: Invocation) -> None:
    assert codec.unpack_invocation(codec.pack_invocation(invocation)) == invocation


@relaxed
@given(invocations)
def test_rq_reads_the_call_that_flow_writes(invocation: Invocation) -> None:
    seen = as_rq_reads(JobRecord("a", invocation, "default"))
    assert seen.func_name == invocation.path
    assert seen.args == invocation.args
    assert seen.kwargs == invocation.kwargs
    assert seen.instance is None


@relaxed
@given(invocations)
def test_flow_reads_the_call_that_rq_writes(invocation: Invocation) -> None:
    job = RQ.job.Job.create(
        invocation.path,
        args=invocation.args,
        kwargs=dict(invocation.kwargs),
        connection=NOWHERE,
    )
    raw = job.to_dict()["data"]
    assert codec.unpack_invocation(raw) == invocation


@relaxed
@given(st.binary())
def test_garbage_is_one_error_whatever_it_holds(garbage: bytes) -> None:
    with pytest.raises(UnreadableJob, match="the job's data cannot be read"):
        codec.unpack_invocation(garbage)


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(("only", "two")),
        pickle.dumps(42),
        zlib.compress(b"garbage"),
        zlib.compress(pickle.dumps("text"))[:-4],
        b"cnowhere\nClass\n.",
    ],
    ids=["two parts", "a number", "no pickle", "cut off", "a class that is missing"],
)
def test_what_is_no_call_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableJob, match="the job's data cannot be read"):
        codec.unpack_invocation(data)


@relaxed
@given(values)
def test_rq_reads_the_result_that_flow_writes(value: object) -> None:
    packed = codec.pack_result(value)
    assert codec.unpack_result(packed) == value
    payload = {b"type": b"1", **({b"return_value": packed} if packed else {})}
    seen = RQ.results.Result.restore("a", "1700000000000-0", payload, NOWHERE)
    assert seen.return_value == value


@relaxed
@given(st.text())
def test_rq_reads_the_failure_that_flow_writes(text: str) -> None:
    packed = codec.pack_failure(text)
    assert codec.unpack_failure(packed) == text
    payload = {b"type": b"2", b"exc_string": packed}
    seen = RQ.results.Result.restore("a", "1700000000000-0", payload, NOWHERE)
    assert seen.exc_string == text


@relaxed
@given(st.binary(min_size=1))
def test_garbage_is_no_result_and_no_failure(garbage: bytes) -> None:
    with pytest.raises(UnreadableJob, match="the job's result cannot be read"):
        codec.unpack_result(garbage)
    with pytest.raises(UnreadableJob, match="the job's failure cannot be read"):
        codec.unpack_failure(garbage)


def test_what_cannot_be_encoded_does_not_lose_a_failure() -> None:
    assert codec.unpack_failure(codec.pack_failure("a\ud800b")) == "a?b"


class Awkward:
    """Fails wherever it is looked at."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __reduce__(self) -> str:
        raise RuntimeError("no pickle")


def test_what_cannot_be_pickled_is_named() -> None:
    call = Invocation("shop.resize", (Awkward(),))
    with pytest.raises(InvalidCall, match=r"shop\.resize cannot be pickled: no pickle"):
        codec.pack_invocation(call)
    with pytest.raises(
        InvalidCall, match="result, a Awkward, cannot be pickled: no pi"
    ):
        codec.pack_result(Awkward())
    record = JobRecord("a", Invocation("shop.resize"), "default", meta={"a": Awkward()})
    with pytest.raises(InvalidCall, match="meta of a job cannot be pickled: no pickle"):
        codec.fields(record, 0.0)


@relaxed
@given(invocations)
def test_a_call_is_described_as_rq_describes_it(invocation: Invocation) -> None:
    job = RQ.job.Job.create(
        invocation.path,
        args=invocation.args,
        kwargs=dict(invocation.kwargs),
        connection=NOWHERE,
    )
    assert codec.describe(invocation) == job.get_call_string()


def test_an_argument_without_a_repr_is_described_by_its_class() -> None:
    call = Invocation("shop.resize", (Awkward(),), {"a": "x" * 1000})
    described = codec.describe(call)
    assert described.startswith("shop.resize(<Awkward>, a='xxx")
    assert len(described) < 120


@relaxed
@given(st.floats(0, 4e9))
def test_rq_reads_the_instants_that_flow_writes(seconds: float) -> None:
    seen = str_to_date(codec.iso(seconds).encode())
    assert seen == datetime.fromtimestamp(seconds, UTC)


def test_rq_reads_every_field() -> None:
    now = 1_700_000_000.25
    record = JobRecord(
        "a",
        Invocation("shop.resize", ("cat.png",)),
        "pictures",
        at_front=True,
        timeout=2.5,
        retries=3,
        result_ttl=0,
        failure_ttl=-1,
        ttl=60,
        depends_on=("b", "c"),
        description="one cat",
        meta={"user": 7},
        on_crash="fail",
    )
    seen = as_rq_reads(record, now)
    assert seen.created_at == datetime.fromtimestamp(now, UTC)
    assert (seen.origin, seen.description, seen.meta) == (
        "pictures",
        "one cat",
        {"user": 7},
    )
    assert (seen.timeout, seen.result_ttl, seen.failure_ttl, seen.ttl) == (3, 0, -1, 60)
    assert (seen.retries_left, seen.enqueue_at_front) == (3, True)
    assert seen.to_dict()["dependency_ids"] == json.dumps(["b", "c"])


def claimed(**fields: bytes) -> Claim:
    names = ["timeout", "result_ttl", "failure_ttl", "retries_left", "retry_intervals"]
    names += ["attempts", "on_crash", "unknown_since", "data", "flow_timeout"]
    names += ["success_callback_name", "failure_callback_name"]
    names += ["webhooks", "repeats_left"]
    values: list[Any] = [fields.get(name) for name in names]
    return codec.claim([b"default", b"a", b"process-1", 1, *values])


def test_a_claim_has_rqs_defaults_where_the_hash_says_nothing() -> None:
    claim = claimed()
    assert (claim.queue, claim.job_id, claim.execution) == ("default", "a", "process-1")
    assert (claim.timeout, claim.result_ttl, claim.failure_ttl) == (
        180,
        500,
        31_536_000,
    )
    assert (claim.retries_left, claim.intervals, claim.attempts) == (0, None, 0)
    assert (claim.on_crash, claim.unknown_since, claim.data) == (None, None, None)


def test_a_claim_has_what_the_hash_says() -> None:
    intervals = json.dumps([1, 2.5]).encode()
    claim = claimed(
        timeout=b"3",
        flow_timeout=b"2.5",
        result_ttl=b"-1",
        retries_left=b"2",
        retry_intervals=intervals,
        on_crash=b"fail",
        unknown_since=b"1700000000.5",
    )
    assert (claim.timeout, claim.result_ttl) == (2.5, -1)
    assert (claim.retries_left, claim.intervals) == (2, (1.0, 2.5))
    assert (claim.on_crash, claim.unknown_since) == ("fail", 1_700_000_000.5)


@relaxed
@given(st.binary(max_size=8))
def test_odd_values_of_another_client_do_not_stop_a_worker(odd: bytes) -> None:
    claim = claimed(
        timeout=odd,
        result_ttl=odd,
        failure_ttl=odd,
        retries_left=odd,
        retry_intervals=odd,
        attempts=odd,
        unknown_since=odd,
        on_crash=odd,
    )
    assert math.isfinite(claim.timeout)
    assert isinstance(claim.result_ttl, int)
    assert claim.intervals is None or all(map(math.isfinite, claim.intervals))


def test_a_claim_tells_what_few_jobs_carry() -> None:
    empty = {"success_callback_name": b"", "failure_callback_name": b""}
    assert claimed().extras is None
    assert claimed(**empty).extras is None  # as RQ's client writes it
    both = claimed(success_callback_name=b"a.b", repeats_left=b"2").extras
    assert both == Extras(on_success=True, repeats=True)
    other = claimed(failure_callback_name=b"a.b", webhooks=b"[]").extras
    assert other == Extras(on_failure=True, webhooks=b"[]")
    assert claimed(repeats_left=b"0").extras == Extras()
    assert claimed(repeats_left=b"often").extras == Extras()
