"""Medians and percentiles."""

from __future__ import annotations

import math
from dataclasses import fields
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Sample = TypeVar("Sample")


def median_of(samples: Sequence[Sample]) -> Sample:
    """Return a sample whose every field is the median of that field."""
    first: Any = samples[0]
    names = [field.name for field in fields(first)]
    middle: Sample = type(first)(
        **{name: median(getattr(one, name) for one in samples) for name in names}
    )
    return middle


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent of the values do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]
