"""Between datetimes and whole seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flow.errors import InvalidSchedule, NaiveDatetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(2201, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return an instant in microseconds since 1970, exactly.

    Raises:
        NaiveDatetime: it has no time zone.
        InvalidSchedule: it is before 1970 or after 2200.
    """
    if moment.utcoffset() is None:
        raise NaiveDatetime(
            f"{moment!r} has no time zone: use datetime.now(UTC) or give tzinfo="
        )
    since = moment - EPOCH
    if not timedelta(0) <= since <= END - EPOCH:
        raise InvalidSchedule(f"{moment} is outside the years 1970 to 2200")
    return since // MICROSECOND
