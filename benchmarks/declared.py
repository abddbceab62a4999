"""The same functions as tasks of flow."""

from __future__ import annotations

from benchmarks import plain
from flow import task

number = task(plain.number)
started = task(plain.started)
urgent = task(urgent=True)(plain.urgent)
nap = task(plain.nap)
anap = task(plain.anap)
burn = task(plain.burn)
