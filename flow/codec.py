"""A job's data <-> what Redis holds, in RQ's format; the only serializer.

The format is RQ's: ``rq.job.Job.to_dict`` and ``restore``, ``rq.results.Result``.
"""

from __future__ import annotations

import contextlib
import json
import math
import pickle
import zlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from flow.errors import InvalidCall, UnreadableJob
from flow.record import (
    FAILURE_TTL,
    RESULT_TTL,
    TIMEOUT,
    Claim,
    Extras,
    Invocation,
    JobRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.outcome import Outcome

COMPRESS = 1024  # bytes below which zlib costs more than it saves; RQ reads both
PICKLED = b"\x80"  # what a pickle begins with, and nothing that zlib made
LONGEST_PATH = 4096  # bytes in which the path of a call must stand
BEFORE_THE_PATH = ("PROTO", "FRAME", "MARK")  # what a pickled tuple begins with
LONGEST_ARGUMENT = 75  # characters of an argument in a description, as in RQ
MILLION = 1_000_000  # microseconds in a second
CLAIM = 18  # values of a claim as claim.lua gives it
DATA = 12  # which of them is the packed call
SHARED, OWN = 5, 6  # values of an outcome: those that others may share, and its own
Field = bytes | str | int | float


class Serializer(Protocol):
    """What RQ calls a serializer: ``rq.serializers.JSONSerializer``, or one's own."""

    @property
    def dumps(self) -> Callable[[Any], bytes]:
        """Pack a value."""
        ...

    @property
    def loads(self) -> Callable[[bytes], Any]:
        """Unpack it."""
        ...


_pickled = partial(pickle.dumps, protocol=pickle.HIGHEST_PROTOCOL)
# Whoever may write to this Redis may run code here, as with RQ (docs/security).
_dumps: Callable[[Any], bytes] = _pickled
_loads: Callable[[bytes], Any] = pickle.loads
_used: Serializer | None = None
_result_ttl = RESULT_TTL
_latest = (0, "1970-01-01T00:00:00")  # the second that was last written as a text


def use(serializer: Serializer | None) -> None:
    """Have this process read and write jobs with ``serializer``; None is pickle.

    It reads nothing else then: bytes are not asked what made them, for who may write
    them must not choose pickle where the worker was told JSON.
    """
    global _dumps, _loads, _used  # noqa: PLW0603 - one serializer a process, set at its start
    _used = serializer
    _dumps = serializer.dumps if serializer else _pickled
    _loads = serializer.loads if serializer else pickle.loads


def used() -> Serializer | None:
    """Return the serializer that ``use`` was given."""
    return _used


def use_result_ttl(seconds: int) -> None:
    """Have this process keep a result so long whose job does not say; -1: for ever."""
    global _result_ttl  # noqa: PLW0603 - as above
    _result_ttl = seconds


def used_result_ttl() -> int:
    """Return the seconds that ``use_result_ttl`` was given, or RQ's default."""
    return _result_ttl


def iso(seconds: float) -> str:
    """Return unix seconds as RQ writes instants: UTC, with microseconds and a Z."""
    global _latest  # noqa: PLW0603 - jobs come thousands to a second
    whole = math.floor(seconds)
    micro = round((seconds - whole) * MILLION)
    if micro == MILLION:
        whole, micro = whole + 1, 0
    latest = _latest
    if latest[0] != whole:
        at = datetime.fromtimestamp(whole, UTC)
        latest = _latest = (whole, at.isoformat()[:-6])
    return f"{latest[1]}.{micro:06d}Z"


def pack_invocation(invocation: Invocation) -> bytes:
    """Return RQ's ``data``: the pickled four parts of a call.

    Raises:
        InvalidCall: an argument cannot be pickled.
    """
    parts = (
        invocation.path,
        invocation.instance,
        invocation.args,
        dict(invocation.kwargs),
    )
    try:
        packed = _dumps(parts)
    except Exception as error:  # pickling runs the arguments' own code
        raise InvalidCall(
            f"the arguments of {invocation.path} cannot be pickled: {error}"
        ) from error
    return packed if len(packed) < COMPRESS else zlib.compress(packed)


def unpack_invocation(data: bytes) -> Invocation:
    """Return the call that ``data`` holds.

    Raises:
        UnreadableJob: it is not a pickled call, or a class in it is missing.
    """
    try:
        if not data.startswith(PICKLED):  # small payloads are not compressed
            with contextlib.suppress(zlib.error):
                data = zlib.decompress(data)
        path, instance, args, kwargs = _loads(data)
        return Invocation(str(path), tuple(args), dict(kwargs), instance)
    except Exception as error:  # unpickling runs the arguments' own code
        raise UnreadableJob(f"the job's data cannot be read: {error!r}") from error


def path_of(data: bytes | None) -> str:
    """Return the import path in RQ's ``data`` without unpickling; empty if none is.

    Unpickling runs the arguments' own code; the path stands before them.
    """
    import pickletools  # noqa: PLC0415 - 3 ms that only a killed job is worth

    try:
        if data and not data.startswith(PICKLED):
            data = zlib.decompressobj().decompress(data, LONGEST_PATH)
        for code, word, _ in pickletools.genops(data or b"."):
            if isinstance(word, str):
                return word
            if code.name not in BEFORE_THE_PATH:
                break
    except (zlib.error, ValueError):
        pass
    return ""


def pack_result(value: object) -> bytes:
    """Return a result as RQ's results stream holds it; empty for None.

    Raises:
        InvalidCall: the result cannot be pickled.
    """
    if value is None:
        return b""
    try:
        return b64encode(_dumps(value))
    except Exception as error:  # pickling runs the value's own code
        kind = type(value).__name__
        raise InvalidCall(
            f"the result, a {kind}, cannot be pickled: {error}"
        ) from error


def unpack_result(packed: bytes | None) -> Any:  # noqa: ANN401 - whatever was returned
    """Return the value that ``pack_result`` packed.

    Raises:
        UnreadableJob: it was packed otherwise, or a class in it is missing here.
    """
    if not packed:
        return None
    try:
        return _loads(b64decode(packed))
    except Exception as error:  # unpickling runs the value's own code
        raise UnreadableJob(f"the job's result cannot be read: {error!r}") from error


def pack_failure(text: str) -> bytes:
    """Return a failure's text as RQ's results stream holds it."""
    return b64encode(zlib.compress(text.encode("utf-8", "replace")))


def unpack_failure(packed: bytes) -> str:
    """Return the text that ``pack_failure`` packed.

    Raises:
        UnreadableJob: it was packed otherwise.
    """
    try:
        return zlib.decompress(b64decode(packed)).decode("utf-8", "replace")
    except (ValueError, zlib.error) as error:
        raise UnreadableJob(f"the job's failure cannot be read: {error!r}") from error


def pack_outcome(outcome: Outcome) -> list[Field]:
    """Return an outcome's values: what others may share with it, then its own."""
    claim = outcome.claim
    return [
        claim.queue,
        outcome.ending._value_,  # .value is a slow property
        outcome.ttl,
        outcome.delay,
        outcome.error,
        claim.job_id,
        claim.execution,
        iso(outcome.ended),
        outcome.started,
        outcome.ended,
        outcome.value,
    ]


def outcomes(packed: Sequence[Sequence[Field]]) -> list[Field]:
    """Return packed outcomes as settle.lua takes them: what several share, once."""
    groups: list[tuple[Sequence[Field], list[Field]]] = []
    own: list[Field] = []
    shared: Sequence[Field] = ()
    for one in packed:
        if one[:SHARED] != shared:
            shared, own = one[:SHARED], []
            groups.append((shared, own))
        own += one[SHARED:]
    flat: list[Field] = []
    for shared, own in groups:
        flat += [*shared, len(own) // OWN, *own]
    return flat


def describe(invocation: Invocation) -> str:
    """Return the call as a person would write it, long arguments cut, as RQ does."""
    arguments = [_shown(value) for value in invocation.args]
    arguments += [f"{k}={_shown(v)}" for k, v in sorted(invocation.kwargs.items())]
    return f"{invocation.path}({', '.join(arguments)})"


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a repr is the user's code; a job is worth more
        text = f"<{type(value).__name__}>"
    if len(text) <= LONGEST_ARGUMENT:
        return text
    return text[:LONGEST_ARGUMENT] + "..."


def fields(job: JobRecord, now: float) -> list[Field]:
    """Return the job's hash as names and values in turn.

    Args:
        job: what is enqueued.
        now: unix seconds.

    Raises:
        InvalidCall: an argument or the meta cannot be pickled.
    """
    data, description = own_fields(job, job.invocation)
    return [*shared_fields(job, now), "data", data, "description", description]


def own_fields(like: JobRecord, invocation: Invocation) -> tuple[bytes, str]:
    """Return a job's ``data`` and ``description``, which no other job has.

    Raises:
        InvalidCall: an argument cannot be pickled.
    """
    return pack_invocation(invocation), like.description or describe(invocation)


def shared_fields(job: JobRecord, now: float) -> list[Field]:
    """Return what jobs that are enqueued alike have in common, as ``fields`` does.

    Raises:
        InvalidCall: the meta cannot be pickled.
    """
    at = iso(now)
    optional: dict[str, Field | None] = {
        # RQ reads whole seconds only, and its worker dies of a job that has none.
        "timeout": math.ceil(TIMEOUT if job.timeout is None else job.timeout),
        "flow_timeout": job.timeout if job.timeout and job.timeout % 1 else None,
        "result_ttl": job.result_ttl,
        "failure_ttl": job.failure_ttl,
        "ttl": job.ttl,
        "retries_left": job.retries,
        "retry_intervals": json.dumps(job.intervals) if job.intervals else None,
        "enqueue_at_front": 1 if job.at_front else None,
        "flow_on_crash": job.on_crash if job.on_crash != "retry" else None,
        "meta": _pack_meta(job) if job.meta else None,
    }
    if job.depends_on:
        optional["dependency_id"] = job.depends_on[0]
        optional["dependency_ids"] = json.dumps(job.depends_on)
    flat: list[Field] = ["created_at", at, "enqueued_at", at, "origin", job.queue]
    for name, value in optional.items():
        if value is not None:
            flat += [name, value]
    return flat


def _pack_meta(job: JobRecord) -> bytes:
    try:
        return _dumps(job.meta)
    except Exception as error:  # pickling runs the values' own code
        raise InvalidCall(f"the meta of a job cannot be pickled: {error}") from error


def claim(raw: list[Any]) -> Claim:
    """Return the claim that claim.lua described."""
    queue, job_id, execution = raw[0].decode(), raw[1].decode(), raw[2].decode()
    values = cast("list[bytes | None]", raw[4:])
    if values[0] and values[8] and values.count(None) == len(values) - 2:
        # As most are: flow's, without options.
        limit = _number(values[0], TIMEOUT)
        return Claim(queue, job_id, execution, values[8], limit, _result_ttl)
    unknown = values[7]
    return Claim(
        queue=queue,
        job_id=job_id,
        execution=execution,
        timeout=_number(values[9] or values[0], TIMEOUT),
        result_ttl=int(_number(values[1], _result_ttl)),
        failure_ttl=int(_number(values[2], FAILURE_TTL)),
        retries_left=int(_number(values[3], 0)),
        intervals=_intervals(values[4]),
        attempts=int(_number(values[5], 0)),
        on_crash="fail" if values[6] == b"fail" else None,
        unknown_since=_number(unknown, 0.0) if unknown else None,
        data=values[8],
        # RQ's client writes most of them, as empty texts.
        extras=_extras(rare) if any(rare := values[10:]) else None,
    )


def _extras(rare: list[bytes | None]) -> Extras:
    on_success, on_failure, webhooks, repeats = rare
    return Extras(
        on_success=bool(on_success),
        on_failure=bool(on_failure),
        webhooks=webhooks or b"",
        repeats=_number(repeats, 0) > 0,
    )


def _number(raw: bytes | None, default: float) -> float:
    if not raw:
        return default
    try:
        number = float(raw)
    except ValueError:
        return default  # another client's odd value must not stop a worker
    return number if math.isfinite(number) else default


def _intervals(raw: bytes | None) -> tuple[float, ...] | None:
    try:
        listed = json.loads(raw) if raw else None
        numbers = tuple(float(item) for item in listed) if listed is not None else None
    except (ValueError, TypeError, OverflowError):
        return None
    return numbers if numbers is None or all(map(math.isfinite, numbers)) else None
