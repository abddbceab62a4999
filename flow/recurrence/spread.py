"""H: a value that stays the same for one id, and differs between ids.

So a hundred daily jobs do not start at one instant. flow draws it by itself: a
schedule must not move because another release of a library draws differently.
"""

from __future__ import annotations

import hashlib
import re

from flow.errors import InvalidSchedule
from flow.recurrence.grammar import DAY, Field

DRAW = re.compile(r"([hr])(?:\((\d{1,2})-(\d{1,2})\))?(?:/(\d{1,2}))?", re.ASCII)
LAST_COMMON_DAY = 28  # a month has it; a job that drew the 31st would run in seven


def spread(field: Field, text: str, id_: str | None) -> str:
    """Return the field's text with its H drawn.

    Args:
        field: which field it is; each draws for itself.
        text: the text in lower case.
        id_: what the draw depends on.

    Raises:
        InvalidSchedule: R, H without an id, in a list, or with a wrong range.
    """
    drawn = [match for item in text.split(",") if (match := DRAW.fullmatch(item))]
    if not drawn:
        return text
    if drawn[0][1] == "r":
        raise InvalidSchedule(
            f"{field.name} has R, which changes at each start: write H and give an id"
        )
    if "," in text:
        raise InvalidSchedule(f"{field.name} has H in a list: write H alone")
    if not id_:
        raise InvalidSchedule(f"{field.name} has H, which needs an id: give id=")
    low, high = _bounds(field, drawn[0])
    return _draw(f"{id_}\n{field.name}", low, high, drawn[0][4])


def _bounds(field: Field, match: re.Match[str]) -> tuple[int, int]:
    highest = field.low + field.size - 1
    if match[2] is None:
        whole = field is not DAY or match[4]
        return field.low, highest if whole else LAST_COMMON_DAY
    low, high = int(match[2]), int(match[3])
    if not field.low <= low < high <= highest:
        raise InvalidSchedule(
            f"{field.name} has {match[0].upper()!r}: write a rising range"
            f" within H({field.low}-{highest})"
        )
    return low, high


def _draw(seed: str, low: int, high: int, step: str | None) -> str:
    size = high - low + 1
    every = size if step is None else int(step)
    if not 1 <= every <= size:
        raise InvalidSchedule(f"H/{step} must step from 1 to {size}")
    digest = hashlib.sha256(seed.encode()).digest()
    first = low + int.from_bytes(digest[:8]) % every
    if first + every > high:
        return str(first)
    return f"{first}-{high}/{every}"
